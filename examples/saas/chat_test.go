package main

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// converse has a customer ask many questions, one a second, the last of them now.
func (a *app) converse(t *testing.T, phone, customer string, questions int) {
	t.Helper()
	var messages []string
	for i := range questions {
		messages = append(messages, fmt.Sprintf(`{"from":%q,"id":"wamid.a/%d?","timestamp":"%d","type":"text",
			"text":{"body":"question %d"}}`, customer, i, time.Now().Add(time.Duration(i-questions)*time.Second).Unix(), i))
	}
	a.receive(t, phone, strings.Join(messages, ","))
}

// asked are the questions that a page shows, in their order.
func asked(body string) (list []string) {
	for _, f := range bubble.FindAllStringSubmatch(body, -1) {
		list = append(list, strings.TrimPrefix(f[1], "question "))
	}
	return list
}

// link is where a link of a page leads, or "".
func link(body, attributes string) string {
	f := regexp.MustCompile(`<a ` + attributes + ` href="([^"]+)"`).FindStringSubmatch(body)
	if f == nil {
		return ""
	}
	return html.UnescapeString(f[1])
}

// A found text opens its conversation around it, with links in both directions.
func TestAFoundTextOpensItsConversationAroundIt(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	baker, bread := furnish(t, a, "bakery")
	a.converse(t, bread["phone"], "15550109999", 200)
	inbox := "/numbers/" + bread["phone"] + "/inbox"
	status, body := baker.get(inbox + "?q=question+100")
	require.Equal(t, http.StatusOK, status)
	found := regexp.MustCompile(`<li id="hit-[^"]+"><a href="([^"]+)"`).FindAllStringSubmatch(body, -1)
	require.Len(t, found, 1)
	status, body = baker.get(html.UnescapeString(found[0][1]))
	require.Equal(t, http.StatusOK, status)
	shown := asked(body)
	require.Len(t, shown, 50)
	require.Contains(t, shown, "100")
	require.Equal(t, "75", shown[0])
	require.Contains(t, body, `id="hit-`, "the search stays beside it")
	require.Regexp(t, `class="bubble in hit">\s*<p dir="auto">question 100<`, body)
	earlier, later := link(body, `class="more" rel="prev"`), link(body, `class="more" rel="next"`)
	_, body = baker.get(earlier)
	require.Equal(t, []string{"25", "74"}, []string{asked(body)[0], asked(body)[49]})
	_, body = baker.get(later)
	require.Equal(t, []string{"125", "174"}, []string{asked(body)[0], asked(body)[49]})
	_, body = baker.get(link(body, `class="more" rel="next"`))
	require.Equal(t, []string{"175", "199"}, []string{asked(body)[0], asked(body)[24]})
	require.Empty(t, link(body, `class="more" rel="next"`))
}

// A conversation is read once its end was shown, and not when its middle was.
func TestTheEndOfAConversationIsRead(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	baker, bread := furnish(t, a, "bakery")
	a.converse(t, bread["phone"], "15550109999", 120)
	inbox := "/numbers/" + bread["phone"] + "/inbox"
	_, body := baker.get(inbox)
	require.Contains(t, body, "2 unread conversations")
	_, body = baker.get(inbox + "?q=question+10")
	hits := regexp.MustCompile(`<li id="hit-[^"]+"><a href="([^"]+)"`).FindAllStringSubmatch(body, -1)
	require.Len(t, hits, 11, "10, and 100 to 109")
	_, _ = baker.get(html.UnescapeString(hits[10][1]))
	_, body = baker.get(inbox)
	require.Contains(t, body, "2 unread conversations")
	_, _ = baker.get(inbox + "/15550109999")
	_, body = baker.get(inbox)
	require.Contains(t, body, "1 unread conversation<")
}
