// Package house holds the rules of this repository as tests: which way imports point, what a
// package may link, what an exported signature may mention, how long a file grows, how wide a line,
// where a comment is due and in which words. It has no code of its own.
//
// What a linter can hold, .golangci.yml has, cognitive complexity for one.
//
// The tests walk the tree and judge what they find there, so a new package is held to the rules
// from its first file. When one fails, its message says what to do. Where a rule and good sense
// disagree, change the rule here and say why.
package house
