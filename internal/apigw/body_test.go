package apigw_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
)

func TestTextBodiesArriveByteForByte(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"", "\x00", "a\x00b\x1f\x7f", "\u2028\u2029", "\U0001f600 \u00e9 \ufffd \ufeff", `"quoted" \back\\slash\u0041 </script>`, "\r\n\t \b\f",
		strings.Repeat(`{"k":"v \" \\ \n`+"\u00e9\n\U0001f600"+`"}`, 400_000/30),
	} {
		got := mustInvoke(t, object{"body": body})
		if string(got.body) != body || got.bodyErr != nil || got.r.ContentLength != int64(len(body)) {
			t.Errorf("body of %.40q = %.40q, %v, length %d", body, got.body, got.bodyErr, got.r.ContentLength)
		}
	}
	// Escapes that the encoder does not write.
	got, err := invoke(t, event(`{"body":"\u0041\/\ud83d\ude00\u0000"}`))
	if err != nil || string(got.body) != "A/\U0001f600\x00" {
		t.Errorf("body = %q, %v", got.body, err)
	}
}

// The body is the member of the payload itself that is a string.
func TestBodyIsFound(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{
		"{\"body\"\r\n\t : \"it\"}", `{"rawPath":"body","body":"it"}`, `{"rawPath":"\"body\":\"x\"","body":"it"}`, `{"body":null,"body":"it","body":null}`,
		`{"headers":{"body":"x"},"body":"it","requestContext":{"body":"x"}}`, `{"cookies":["body","body"],"body":"it"}`, `{"x":[{"body":"x"}],"body":"it"}`, `{"rawPath":"\"","x":"{","body":"it"}`, `{"x":"\\","body":"it"}`, `{"\u0062ody2":"x","body":"it"}`,
	} {
		got, err := invoke(t, event(payload))
		if err != nil || string(got.body) != "it" || got.bodyErr != nil {
			t.Errorf("Invoke(%s): body %q, %v, %v", payload, got.body, got.bodyErr, err)
		}
	}
}

func TestBase64Bodies(t *testing.T) {
	t.Parallel()
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for n := range 100 { // every length modulo the words that the decoder works in
		body := bytes.Repeat(all, 2)[n : 3*n]
		got := mustInvoke(t, object{"body": base64.StdEncoding.EncodeToString(body), "isBase64Encoded": true})
		if !bytes.Equal(got.body, body) || got.bodyErr != nil || got.r.ContentLength != int64(len(body)) {
			t.Errorf("body of %d bytes = %x, %v, length %d", len(body), got.body, got.bodyErr, got.r.ContentLength)
		}
	}
	gzip := []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	for _, ev := range []string{ // whichever member comes first
		`{"isBase64Encoded":true,"body":"` + base64.StdEncoding.EncodeToString(gzip) + `"}`,
		`{"body":"` + base64.StdEncoding.EncodeToString(gzip) + `","isBase64Encoded":true}`,
	} {
		if got, err := invoke(t, event(ev)); err != nil || !bytes.Equal(got.body, gzip) {
			t.Errorf("body = %x, %v", got.body, err)
		}
	}
	if got := mustInvoke(t, object{"body": "e30=", "isBase64Encoded": false}); string(got.body) != "e30=" {
		t.Errorf("body = %q, want it as it stands", got.body)
	}
}

// The event is served, so that the handler can answer; its body is not mended.
func TestBodiesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, members := range map[string]string{
		"not base64":           `"body":"e30!","isBase64Encoded":true`,
		"base64 cut off":       `"body":"e30","isBase64Encoded":true`,
		"base64url":            `"body":"_-8=","isBase64Encoded":true`,
		"ill-formed UTF-8":     "\"body\":\"a\xff\"",
		"cut off UTF-8":        "\"body\":\"\xe2\x82\"",
		"a surrogate in UTF-8": "\"body\":\"\xed\xa0\x80\"",
		"a lone surrogate":     `"body":"\ud800"`,
		"surrogates reversed":  `"body":"\ude00\ud83d"`,
		"both":                 `"body":"\ud800","isBase64Encoded":true`,
		// Mended it would be three times as long, and must not run over what follows.
		"all ill-formed": "\"body\":\"" + strings.Repeat("\xff", 100) + "\"",
	} {
		got, err := invoke(t, event(`{`+members+`,"rawPath":"/behind/it"}`))
		if err != nil {
			t.Errorf("%s: Invoke: %v", name, err)
			continue
		}
		if got.bodyErr == nil || len(got.body) > 0 || got.r.ContentLength != -1 || !strings.HasPrefix(got.bodyErr.Error(), "read body of API Gateway event: ") {
			t.Errorf("%s: body = %q, %v, length %d, want an error", name, got.body, got.bodyErr, got.r.ContentLength)
		}
		if got.r.URL.Path != "/behind/it" {
			t.Errorf("%s: path = %q", name, got.r.URL.Path)
		}
	}
}
