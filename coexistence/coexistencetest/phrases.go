package coexistencetest

// A language is what customers and shops say in one. A talk stays in one language, as talks do, so
// a host that guesses the language of a conversation finds one.
type language struct {
	names         []string
	asks, answers []string // %d is any number
}

// languages are those that a host most likely gets wrong: with accents, from right to left, with
// joined letters, without spaces, in several planes of Unicode. Names are made up, and say so in
// their own language.
var languages = []language{
	{
		[]string{"Ada Example", "Ben Sample", "Cleo Madeup"},
		[]string{
			"Hi, are you open today?", "Do you have %d of the blue ones?", "How much is delivery?",
			"Great, I'll take it",
			"Can I pick it up at %d o'clock?", "Thanks a lot!", "It didn't arrive yet…", "Could you send me a picture?",
		},
		[]string{
			"Good morning! Yes, until 6 pm.", "We have %d left", "Delivery is free above $%d", "Your order is ready",
			"You're welcome", "Sorry about that, I'll look into it", "See you \"soon\" / later",
			"Sure, one moment\nplease",
		},
	},
	{
		[]string{"Lucía Ejemplo", "Íñigo Muñoz"},
		[]string{
			"¡Hola! ¿Tienen %d disponibles?", "¿Qué precio tiene el envío?", "Perfecto, lo quiero", "¿Mañana abren?",
			"Muchísimas gracias",
		},
		[]string{"Sí, quedan %d", "El envío es gratis", "Abrimos a las %d", "Su pedido está listo",
			"Con mucho gusto, señora"},
	},
	{
		[]string{"João Exemplo", "Conceição Amostra"},
		[]string{"Bom dia, vocês têm %d unidades?", "Qual é o preço?", "Não chegou ainda", "Ótimo, obrigada",
			"Aceita pix?"},
		[]string{"Temos sim!", "São R$ %d", "Já saiu para entrega", "Às ordens", "Amanhã à tarde, pode ser?"},
	},
	{
		[]string{"Jürgen Beispiel", "Käthe Muster"},
		[]string{"Grüß Gott, haben Sie heute geöffnet?", "Ich hätte gern %d Stück", "Was kostet das Größere?",
			"Vielen Dank!", "Passt übermorgen?"},
		[]string{"Ja, bis %d Uhr", "Wir haben noch %d", "Gern geschehen", "Ihre Bestellung ist fertig", "Schöne Grüße"},
	},
	{
		[]string{"Zoé Échantillon", "François Modèle"},
		[]string{"Bonjour, vous êtes où ?", "J'en voudrais %d s'il vous plaît", "C'est combien ?", "Merci beaucoup",
			"Ça marche, à bientôt"},
		[]string{"Nous sommes ouverts jusqu'à %d h", "Il en reste %d", "Avec plaisir", "Votre commande est prête",
			"Désolé, c'est épuisé"},
	},
	{
		[]string{"أحمد مثال", "ليلى نموذج"},
		[]string{"السلام عليكم، هل المحل مفتوح؟", "كم السعر؟", "أريد %d قطع", "شكرا جزيلا", "متى يصل الطلب؟"},
		[]string{"وعليكم السلام، نعم", "السعر %d", "الطلب جاهز", "أهلا وسهلا", "غدا إن شاء الله"},
	},
	{
		[]string{"आशा उदाहरण", "विक्रम नमूना"},
		[]string{"नमस्ते, दुकान खुली है?", "%d चाहिए", "कितने का है?", "धन्यवाद", "फोटो भेजिए"},
		[]string{"जी हाँ", "₹%d", "ऑर्डर तैयार है", "कल मिल जाएगा", "स्वागत है"},
	},
	{
		[]string{"見本 花子", "例 太郎"},
		[]string{"こんにちは、在庫はありますか？", "%d個お願いします", "いくらですか", "ありがとうございます", "明日は営業していますか"},
		[]string{"はい、ございます", "残り%d個です", "ご注文の準備ができました", "かしこまりました", "お待ちしております"},
	},
	{
		[]string{"示例 小明", "样本 小红"},
		[]string{"你好，还有货吗？", "我要%d个", "多少钱？", "谢谢", "什么时候能到？"},
		[]string{"有的", "还剩%d个", "您的订单已准备好", "不客气", "明天下午"},
	},
	{
		[]string{"Аня Примерова", "Олег Образцов"},
		[]string{"Здравствуйте, вы открыты?", "Мне нужно %d штук", "Сколько стоит?", "Большое спасибо",
			"Ещё не привезли"},
		[]string{"Да, до %d часов", "Осталось %d", "Ваш заказ готов", "Пожалуйста", "Извините, проверю"},
	},
	{
		[]string{"דנה דוגמה", "יוסי לדוגמה"},
		[]string{"שלום, אתם פתוחים?", "כמה זה עולה?", "אני רוצה %d", "תודה רבה", "מתי זה מגיע?"},
		[]string{"כן, עד %d", "נשארו %d", "ההזמנה מוכנה", "בבקשה", "מחר בצהריים"},
	},
}

// emoji hold what breaks naive code: surrogate pairs, variation selectors, skin tones, joined
// families, flags, keycaps. Code that cuts texts by bytes or by code points tears them apart.
var emoji = []string{"😀", "👍", "❤️", "🙏🏽", "👨‍👩‍👧‍👦", "🇧🇷", "🏴‍☠️", "1️⃣", "🤦🏿‍♀️", "☀️", "🎂", "✅"}
