package graph_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

func TestCodesMatchThemselvesAndTheirClass(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		code  graph.Code
		class graph.Class
	}{
		"app limit":                           {graph.CodeAppRateLimit, graph.ErrThrottled},
		"WABA limit":                          {graph.CodeRateLimitIssues, graph.ErrThrottled},
		"throughput":                          {graph.CodeRateLimitHit, graph.ErrThrottled},
		"pair limit":                          {graph.CodePairRateLimitHit, graph.ErrThrottled},
		"maintenance, HTTP 500":               {graph.CodeAccountInMaintenance, graph.ErrThrottled},
		"spam limit is no throttle":           {graph.CodeSpamRateLimitHit, graph.ErrQualityLimit},
		"per-user marketing limit is none":    {graph.CodeEcosystemEngagement, graph.ErrQualityLimit},
		"template violations are none":        {graph.CodeTemplateClassificationLimit, graph.ErrQualityLimit},
		"groups after too much marketing":     {graph.CodeGroupCreationDisabled, graph.ErrQualityLimit},
		"calls after bad feedback":            {graph.CodeCallingDisabledLowQuality, graph.ErrQualityLimit},
		"capability, HTTP 500 and permanent":  {graph.CodeAPIMethod, graph.ErrPermission},
		"template, HTTP 500 and permanent":    {graph.CodeTemplateUnavailable, graph.ErrTemplate},
		"call, HTTP 500 and not to repeat":    {graph.CodeCallConnectError, graph.ErrCall},
		"calling off, HTTP 401":               {graph.CodeCallingNotEnabled, graph.ErrNotEligible},
		"no permission to call, HTTP 401":     {graph.CodeNoCallPermission, graph.ErrRecipient},
		"success status":                      {graph.CodeGroupPartialSuccess, graph.ErrInvalidRequest},
		"token":                               {graph.CodeAccessTokenExpired, graph.ErrAuth},
		"zero":                                {graph.CodeAuthException, graph.ErrAuth},
		"permission range":                    {graph.Code(275), graph.ErrPermission},
		"not of the permission range":         {graph.CodeTemplateInsightsNotEnabled, graph.ErrTemplate},
		"window":                              {graph.CodeReengagementMessage, graph.ErrWindowClosed},
		"opt-out":                             {graph.CodeUserStoppedMarketing, graph.ErrOptedOut},
		"undeliverable":                       {graph.CodeMessageUndeliverable, graph.ErrRecipient},
		"unavailable message":                 {graph.CodeMessageUnavailable, graph.ErrUnavailable},
		"max price through Cloud API":         {graph.CodeMaxPriceOnCloudAPI, graph.ErrTemplate},
		"max price in another country":        {graph.CodeMaxPriceNotAvailable, graph.ErrRecipient},
		"another responder's conversation":    {graph.CodeThreadOwnedByOther, graph.ErrNotOwner},
		"not the Call primary":                {graph.CodeNotCallPrimary, graph.ErrCall},
		"take of a conversation":              {graph.CodeThreadTakeNotPermitted, graph.ErrPermission},
		"restricted":                          {graph.CodePolicyViolation, graph.ErrIntegrity},
		"payment":                             {graph.CodePaymentIssue, graph.ErrPayment},
		"server":                              {graph.CodeSomethingWentWrong, graph.ErrTemporary},
		"PIN":                                 {graph.CodePINMismatch, graph.ErrRegistration},
		"sync twice":                          {graph.CodeSyncLimitExceeded, graph.ErrSync},
		"sync too late":                       {graph.CodeSyncWindowClosed, graph.ErrSync},
		"history off":                         {graph.CodeHistorySharingOff, graph.ErrSync},
		"seven digits, a subcode of code 100": {graph.CodeTemplateLimitExceeded, graph.ErrTemplate},
		"Embedded Signup, with a name":        {graph.CodeSignupNumberElsewhere, graph.ErrSignup},
		"Embedded Signup, by area":            {graph.Code(1690181), graph.ErrSignup},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := fmt.Errorf("wrapped: %w", tt.code)
			require.ErrorIs(t, err, tt.code)
			for _, class := range graph.Classes() {
				require.Equal(t, class == tt.class, errors.Is(err, class), "%s", class)
			}
			require.NotErrorIs(t, err, graph.Code(999))
		})
	}
}

func TestUnknownCodesBelongNowhere(t *testing.T) {
	t.Parallel()
	unknown := graph.Code(999999)
	for _, class := range append(graph.Classes(), "") {
		require.NotErrorIs(t, unknown, class)
	}
	require.NotErrorIs(t, unknown, errors.New("another error"))
	require.Equal(t, "graph: code 999999", unknown.Error())
	_, ok := graph.Lookup(unknown, 999)
	require.False(t, ok)
	_, ok = graph.Lookup(-1, -1)
	require.False(t, ok)
}

func TestLookupOrder(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		code    graph.Code
		subcode int
		want    graph.Code
		wantSub int
	}{
		"code alone": {131047, 0, graph.CodeReengagementMessage, 0},
		"the pair": {
			100, 33, graph.CodeInvalidParameter, graph.SubcodeUnsupportedRequest,
		},
		"token expired":                          {190, 463, graph.CodeAccessTokenExpired, graph.SubcodeTokenExpired},
		"the signup's code, used":                {100, 36009, graph.CodeInvalidParameter, graph.SubcodeCodeUsed},
		"unknown subcode falls back":             {190, 999, graph.CodeAccessTokenExpired, 0},
		"subcode before code":                    {100, 2388019, graph.CodeTemplateLimitExceeded, 0},
		"subcode under another code":             {200002, 2388109, graph.CodeTemplateBodyTooGeneric, 0},
		"sync before throttle":                   {4, 2593107, graph.CodeSyncLimitExceeded, 0},
		"subcode as code":                        {2593108, 0, graph.CodeSyncWindowClosed, 0},
		"subcode under an unknown code":          {999, 2593109, graph.CodeHistorySharingOff, 0},
		"small subcode is no code":               {1, 33, graph.CodeAPIUnknown, 0},
		"small subcode under an unknown code":    {200, 190, graph.CodePermissionMissing, 0},
		"range":                                  {294, 0, 294, 0},
		"range, unknown subcode":                 {299, 12, 299, 0},
		"range does not reach the template ones": {200006, 0, graph.CodeTemplateInsightsPermanent, 0},
		"area of Embedded Signup":                {3441046, 0, 3441046, 0},
		"area of Embedded Signup as subcode":     {100, 3441046, 3441046, 0},
		"Meta's own sample":                      {130429, 2494055, graph.CodeThroughputReached, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			info, ok := graph.Lookup(tt.code, tt.subcode)
			require.True(t, ok)
			require.Equal(t, tt.want, info.Code)
			require.Equal(t, tt.wantSub, info.Subcode)
		})
	}
	for _, code := range []graph.Code{199, 300} {
		_, ok := graph.Lookup(code, 0)
		require.False(t, ok, "%d is outside of the range", code)
	}
	for _, code := range []graph.Code{421, 427, 432} {
		_, ok := graph.Lookup(code, 0)
		require.False(t, ok, "%d is what a flow endpoint answers, not Meta", code)
	}
}

func TestMatchesTakesTheClassOfThePair(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		code    graph.Code
		subcode int
		target  error
		want    bool
	}{
		"the code":                               {4, 2593107, graph.CodeAppRateLimit, true},
		"the subcode":                            {4, 2593107, graph.CodeSyncLimitExceeded, true},
		"the pair's class":                       {4, 2593107, graph.ErrSync, true},
		"not the code's class":                   {4, 2593107, graph.ErrThrottled, false},
		"the code's class, without subcode":      {4, 0, graph.ErrThrottled, true},
		"access lost":                            {100, 33, graph.ErrAccessLost, true},
		"not an invalid request":                 {100, 33, graph.ErrInvalidRequest, false},
		"a small subcode is not a code":          {100, 33, graph.CodePhoneNumberDeleted, false},
		"no subcode is not the code 0":           {100, 0, graph.CodeAuthException, false},
		"unknown code":                           {999, 0, graph.ErrTemporary, false},
		"unknown code has no class at all":       {999, 0, graph.Class(""), false},
		"unknown code matches itself":            {999, 0, graph.Code(999), true},
		"an error of somebody else":              {4, 0, errors.New("another error"), false},
		"nothing":                                {4, 0, nil, false},
		"permission range":                       {230, 0, graph.ErrPermission, true},
		"a subcode nobody knows changes nothing": {130429, 7654321, graph.ErrThrottled, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, graph.MatchCode(tt.code, tt.subcode, tt.target))
		})
	}
}

func TestOnlySixCodesProveRefusal(t *testing.T) {
	t.Parallel()
	var proven []graph.Code
	for _, info := range graph.Codes() {
		if info.Subcode == 0 && info.Code.ProvesRefusal() {
			proven = append(proven, info.Code)
			require.Equal(t, graph.ErrThrottled, info.Class, "%d", info.Code)
			require.Equal(t, graph.RetryLater, info.Retry, "%d", info.Code)
		}
	}
	require.Equal(t, []graph.Code{4, 80007, 80008, 130429, 131056, 131057}, proven)
	require.False(t, graph.Code(999).ProvesRefusal())
}

func TestEveryCodeIsDocumented(t *testing.T) {
	t.Parallel()
	known := map[graph.Class]bool{}
	for _, class := range graph.Classes() {
		require.False(t, known[class], "class %q is listed twice", class)
		known[class] = true
		require.True(t, strings.HasPrefix(class.Error(), "graph: "))
	}
	used := map[graph.Class]bool{}
	retries := []graph.Retryability{graph.RetryNever, graph.RetryNow, graph.RetryLater, graph.RetryNewWindow}
	actors := []graph.Actor{
		graph.ActorDeveloper, graph.ActorBusiness, graph.ActorCustomer, graph.ActorMeta, graph.ActorNone,
	}
	seen := map[[2]int]bool{}
	last := [2]int{-1, 0}
	for _, info := range graph.Codes() {
		key := [2]int{int(info.Code), info.Subcode}
		require.False(t, seen[key], "%v has two rows", key)
		seen[key] = true
		require.True(t, key[0] > last[0] || key[0] == last[0] && key[1] > last[1], "%v comes after %v", key, last)
		last = key

		require.True(t, known[info.Class], "%v: class %q", key, info.Class)
		used[info.Class] = true
		require.Contains(t, retries, info.Retry, "%v", key)
		require.Contains(t, actors, info.Actor, "%v", key)
		require.NotEmpty(t, info.Title, "%v", key)
		require.NotEmpty(t, info.Source, "%v", key)
		require.True(t, strings.HasSuffix(info.Meaning, "."), "%v: the meaning is sentences: %q", key, info.Meaning)
		require.Regexp(t, `^[a-z].{3,}[^.…, ]( …)?$|, …$`, info.Advice, "%v: the advice follows a colon", key)
		require.NotContains(t, info.Meaning+info.Advice, "  ", "%v", key)
		if info.HTTPStatus != 0 {
			require.True(t, info.HTTPStatus >= 200 && info.HTTPStatus < 600, "%v: status %d", key, info.HTTPStatus)
		}

		found, ok := graph.Lookup(info.Code, info.Subcode)
		require.True(t, ok, "%v", key)
		require.Equal(t, info, found)
		require.Contains(t, info.Code.Error(), strconv.Itoa(int(info.Code)))
	}
	for class := range known {
		require.True(t, used[class], "no code is of class %q", class)
	}
}

// The constants and the table are two lists of one thing: this reads the source, since Go cannot
// enumerate constants.
func TestEveryConstantHasItsRow(t *testing.T) {
	t.Parallel()
	mode := parser.ParseComments | parser.SkipObjectResolution
	file, err := parser.ParseFile(token.NewFileSet(), "code_const.go", nil, mode)
	require.NoError(t, err)
	rows, subrows := map[int]bool{}, map[int]bool{}
	for _, info := range graph.Codes() {
		switch {
		case info.Subcode != 0:
			subrows[info.Subcode] = true
		case !strings.HasPrefix(info.Title, "Embedded Signup: "): // those are known by area only and have no name
			rows[int(info.Code)] = true
		}
	}
	last := -1
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		require.True(t, ok)
		for _, spec := range gen.Specs {
			value, ok := spec.(*ast.ValueSpec)
			require.True(t, ok)
			name := value.Names[0].Name
			literal, ok := value.Values[0].(*ast.BasicLit)
			require.True(t, ok, name)
			n, err := strconv.Atoi(literal.Value)
			require.NoError(t, err)
			table := rows
			if strings.HasPrefix(name, "Subcode") {
				table = subrows
			} else {
				require.Greater(t, n, last, "%s is out of order", name)
				last = n
			}
			require.True(t, table[n], "%s = %d has no row, or two names", name, n)
			delete(table, n)
			require.NotEmpty(t, value.Comment.Text(), name)
		}
	}
	require.Empty(t, rows, "rows without a constant")
	require.Empty(t, subrows, "subcodes without a constant")
}

// The areas of Embedded Signup's documentation, each by one of its codes and whether waiting can
// help.
func TestSignupCodesAreAdvisedByArea(t *testing.T) {
	t.Parallel()
	for code, want := range map[graph.Code]struct {
		retry  graph.Retryability
		advice string
	}{
		graph.CodeSignupStillConnected: {graph.RetryLater, "15 minutes"},
		graph.CodeSignupUpdateApp:      {graph.RetryNever, "update"},
		2655005:                        {graph.RetryLater, "real phone number"},
		2655076:                        {graph.RetryNever, "real phone number"},
		1675004:                        {graph.RetryLater, "wait"},
		1690062:                        {graph.RetryNever, "name"},
		2859015:                        {graph.RetryNever, "appeal"},
		2494029:                        {graph.RetryNever, "partner"},
		1752004:                        {graph.RetryNever, "ad account"},
		2494149:                        {graph.RetryLater, "ad account"},
		1752069:                        {graph.RetryLater, "Page"},
		2136001:                        {graph.RetryNever, "two-factor"},
		2655091:                        {graph.RetryNever, "captcha"},
		3441003:                        {graph.RetryLater, "support"},
		4056009:                        {graph.RetryNever, "support"},
	} {
		info, ok := graph.Lookup(code, 0)
		require.True(t, ok, "%d", code)
		require.Equal(t, graph.ErrSignup, info.Class, "%d", code)
		require.Equal(t, want.retry, info.Retry, "%d", code)
		require.Contains(t, info.Advice, want.advice, "%d", code)
	}
}
