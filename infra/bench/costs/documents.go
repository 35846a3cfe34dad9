package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
)

// document is a settings document of an exact size.
type document struct {
	name string
	text string
}

// documents returns the same documents each time.
func documents() []document {
	var all []document
	for _, kb := range []int{1, 10, 100, 390} {
		all = append(all, document{fmt.Sprintf("%d KB", kb), settingsLike(kb << 10)})
	}
	return append(all, document{"390 KB, random letters", randomLetters(390 << 10)})
}

// body returns the body of a request by method: the document, or a small change of it.
func (d document) body(method string) string {
	switch method {
	case http.MethodPost:
		return `{"settings":` + d.text + `}`
	case http.MethodPut:
		return `{"theme":"light"}`
	case http.MethodDelete:
		return `{"keys":["theme"]}`
	default:
		return ""
	}
}

// settingsLike returns a document such as an administrator's page writes: for each team the same names with
// values of its own, among them identifiers and addresses, which do not repeat.
func settingsLike(size int) string {
	r := rand.New(rand.NewPCG(1, uint64(size)))
	var b strings.Builder
	b.WriteString(`{"theme":"dark","teams":{`)
	const end = `},"note":""}`
	for n := 0; ; n++ {
		team := fmt.Sprintf(`"team-%04d":{"id":"%08x-%04x-4%03x-a%03x-%012x","owner":"%s@example.com",`+
			`"storage":{"type":%q,"region":%q,"maxFileSize":"%dGB"},"retention":{"enabled":%t,"days":%d},`+
			`"security":{"requireMFA":%t,"sessionTimeout":%d}}`,
			n, r.Uint32(), r.IntN(1<<16), r.IntN(1<<12), r.IntN(1<<12), r.Int64N(1<<48), letters(r, 5+r.IntN(8)),
			pick(r, "S3", "GCS", "AZURE", "FILE"), pick(r, "eu-central-1", "us-east-1", "ap-southeast-2"), 1+r.IntN(50),
			r.IntN(2) == 0, 30*r.IntN(24), r.IntN(2) == 0, 900*(1+r.IntN(8)))
		if n > 0 {
			team = "," + team
		}
		if b.Len()+len(team)+len(end) > size {
			break
		}
		b.WriteString(team)
	}
	note := letters(r, size-b.Len()-len(end))
	return b.String() + strings.Replace(end, `""`, `"`+note+`"`, 1)
}

// randomLetters returns a document that is hard to compress.
func randomLetters(size int) string {
	const begin, end = `{"theme":"dark","note":"`, `"}`
	return begin + letters(rand.New(rand.NewPCG(1, 1)), size-len(begin)-len(end)) + end
}

func letters(r *rand.Rand, n int) string {
	const all = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	text := make([]byte, n)
	for i := range text {
		text[i] = all[r.IntN(len(all))]
	}
	return string(text)
}

func pick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }
