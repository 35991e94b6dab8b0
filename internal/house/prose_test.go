package house_test

import (
	"go/ast"
	"regexp"
	"strings"
	"testing"
)

// Comments are in plain technical English, since most readers have another first language.
func TestCommentsSpeakPlainly(t *testing.T) {
	t.Parallel()
	check(t, func(source) bool { return true }, roundabout)
}

// A phrase is one that a second-language reader has to read twice, and what to write instead.
type phrase struct {
	found *regexp.Regexp
	write string
}

// phrases are those that are looked for. What comes before one of the three pronouns makes it the
// subject of its clause: the beginning of a sentence or a clause, a conjunction, a relative
// pronoun. As an object, as in "notify nobody", it stays.
var phrases = []phrase{
	{
		regexp.MustCompile(`(?i)(^|[.:;,(—] ?|\b(and|as|because|but|if|once|or|since|so|than|that|though|unless|` +
			`until|what|when|where|whether|which|while|who|whom|whose) )(nobody|somebody|whoever)\b( else)?('s)?`),
		"who it is, or the passive",
	},
	{regexp.MustCompile(`(?i)\bwants? the lock\b`), "The caller must hold s.mu"},
	{regexp.MustCompile(`(?i)\bbears? repeats?\b`), "is idempotent"},
}

// roundabout finds these phrases in comments, over the ends of lines too. A possessive is no
// subject: somebody else's, nobody's.
func roundabout(s source) []string {
	var found []string
	for _, group := range s.ast.Comments {
		for _, sentence := range paragraphs(group) {
			for _, p := range phrases {
				for _, hit := range p.found.FindAllString(sentence, -1) {
					if !strings.HasSuffix(hit, "'s") {
						hit = strings.TrimLeft(hit, " .:;,(—")
						found = append(found, s.finding(group.Pos(), "%q: write %s", hit, p.write))
					}
				}
			}
		}
	}
	return found
}

// paragraphs returns the text of a comment, each paragraph in one line.
func paragraphs(group *ast.CommentGroup) []string {
	var all []string
	for part := range strings.SplitSeq(group.Text(), "\n\n") {
		all = append(all, strings.Join(strings.Fields(part), " "))
	}
	return all
}

func TestRoundaboutCommentsAreFound(t *testing.T) {
	t.Parallel()
	const who, lock, repeats = "who it is, or the passive", "must hold s.mu", "is idempotent"
	comment := func(text string) string {
		return "package p\n\n// " + strings.ReplaceAll(text, "\n", "\n// ") + "\nvar x int"
	}
	try(t, roundabout, map[string]sample{
		"sentence":          {comment("Nobody reads it."), who},
		"second sentence":   {comment("It is kept. Somebody may ask."), who},
		"clause":            {comment("It is kept; whoever comes finds it."), who},
		"conjunction":       {comment("It ends when nobody waits."), who},
		"relative clause":   {comment("A member that nobody reads."), who},
		"over two lines":    {comment("A member that\nnobody reads."), who},
		"behind code":       {"package p\n\nvar x int // nobody reads it", who},
		"block":             {"package p\n\n/* Nobody reads it. */\nvar x int", who},
		"lock":              {comment("F does. It wants the lock."), lock},
		"repeats":           {comment("F bears repeats."), repeats},
		"object":            {comment("A burst of history: notify nobody, and answer it to nobody."), ""},
		"possessive":        {comment("If somebody else's is asked for, or nobody's, there is none."), ""},
		"name":              {comment("Fnobody and nobodyKnown are names."), ""},
		"a string":          {"package p\n\nvar x = \"nobody reads it\"", ""},
		"another paragraph": {comment("These are read by\n\nwhoever."), who},
	})
}
