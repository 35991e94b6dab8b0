package memento_test

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/memento"
)

func TestAPointerStaysGoodAndItsValueComesBack(t *testing.T) {
	t.Parallel()
	ages := map[string]int{"ada": 36}
	place := &ages
	var m memento.Memento
	memento.Keep(&m, place, maps.Clone[map[string]int])
	for range 2 { // a restored value is not the kept one: the second time finds it as it was
		(*place)["ada"], (*place)["ben"] = 37, 1
		m.Restore()
		require.Equal(t, map[string]int{"ada": 36}, *place)
	}
	ages = nil
	m.Restore()
	require.Equal(t, map[string]int{"ada": 36}, *place)
}

func TestADeepCopySharesNothing(t *testing.T) {
	t.Parallel()
	type inner struct {
		Words []string
		At    time.Time
	}
	type outer struct {
		Name   string
		Inner  *inner
		List   []inner
		ByName map[string]*inner
		Any    any
		Empty  []string
		None   *inner
	}
	now := time.Now()
	make1 := func() outer {
		return outer{
			Name: "a", Inner: &inner{[]string{"b"}, now}, List: []inner{{[]string{"c"}, now}},
			ByName: map[string]*inner{"d": {[]string{"e"}, now}}, Any: []string{"f"}, Empty: []string{},
		}
	}
	was := make1()
	is := memento.Deep(was)
	require.Equal(t, was, is)
	is.Name, is.Inner.Words[0], is.Inner.At = "x", "x", time.Time{}
	is.List[0].Words[0], is.ByName["d"].Words[0], is.Any.([]string)[0] = "x", "x", "x"
	is.ByName["y"] = nil
	require.Equal(t, make1(), was)
}
