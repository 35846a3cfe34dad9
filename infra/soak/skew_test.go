package soak

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"orgsettings/infra/local/stack"
	"orgsettings/internal/api"
	"orgsettings/internal/apigw"
	"orgsettings/internal/auth"
	"orgsettings/internal/dynamo"
	"orgsettings/internal/settings"
)

// serveShifted is the program with a clock that is wrong by text, a duration:
// the test binary runs it in place of the deployed one, which takes the time from
// time.Now alone.
func serveShifted(text string) {
	offset, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	now := func() time.Time { return time.Now().Add(offset) }
	logger := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	verifier, err := auth.New(auth.Config{
		Issuer: os.Getenv("JWT_ISSUER"), Audiences: []string{os.Getenv("JWT_AUDIENCE")}, JWKSURL: os.Getenv("JWKS_URL"),
		JWKSMaxAge: 5 * time.Minute, UserClaim: "sub", Logger: logger, Now: now,
	})
	if err != nil {
		panic(err)
	}
	aws, err := awsconfig.LoadDefaultConfig(context.Background())
	if err != nil {
		panic(err)
	}
	db := dynamo.New(aws, dynamo.Tables{Users: os.Getenv("USERS_TABLE"), Settings: os.Getenv("SETTINGS_TABLE")})
	lambda.Start(apigw.New(api.New(api.Config{
		Service: settings.New(db, db, now), Verifier: verifier, Logger: logger, Timeout: 4500 * time.Millisecond,
	})))
}

// Two environments whose clocks differ by 30 s write in turn: whichever is
// ahead, the write that is answered later is what remains, with the greater
// revision. One of the two is the deployed program.
func TestClocksDiffer(t *testing.T) {
	t.Parallel()
	for _, offset := range []string{"30s", "-30s"} {
		t.Run(offset, func(t *testing.T) {
			t.Parallel()
			right := start(t, nil)
			wrong := *right
			var err error
			wrong.Stack, err = stack.Start(t.Context(), stack.Options{
				Template: "../../template.yaml", Bootstrap: os.Args[0], Env: map[string]string{"SOAK_CLOCK": offset}, Output: right.log,
				DynamoDBURL: right.DynamoDBURL, JWKSURL: right.Issuer.JWKSURL(), Issuer: right.Issuer.URL(), Audience: right.Issuer.Audience(),
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { wrong.Close() })
			testClocks(t, []*service{right, &wrong}, offset)
		})
	}
}

func testClocks(t *testing.T, environments []*service, offset string) {
	token := environments[0].token(t, "alice")
	last := ""
	for n := range 30 {
		writer, reader := environments[n%2], environments[n/2%2]
		written := []string{"POST", "PUT"}[n/3%2]
		document := fmt.Sprintf(`{"n":%d}`, n)
		body := map[string]string{"POST": `{"settings":` + document + `}`, "PUT": document}[written]
		var fields []string
		if n%5 == 4 { // as an editor does that wrote through the other one
			fields = []string{"If-Match", `"` + last + `"`}
		}
		a := writer.mustCall(t, written, token, body, fields...)
		if a.etag() <= last {
			t.Errorf("write %d has the revision %s after %s", n, a.etag(), last)
		}
		last = a.etag()
		got := reader.mustCall(t, "GET", token, "")
		if got.etag() != last || got.body != `{"success":true,"settings":`+document+`}` {
			t.Errorf("after write %d remains %s at %s, want %s at %s", n, got.body, got.etag(), document, last)
		}
	}
	// Both clocks were in use: their revisions begin with other times.
	times := make(map[string]bool)
	for _, c := range environments[0].proxy.Commits() {
		times[c.Revision[:10]] = true
	}
	if len(times) < 2 {
		t.Errorf("with %s there is but one time in the revisions", offset)
	}

	// Now at once, and the whole history has to be one of a register.
	histories := make([]recorder, len(environments))
	began := time.Now()
	var wg sync.WaitGroup
	for n := range histories {
		h := &histories[n]
		h.service, h.began = environments[n], began
		for client := range 4 {
			wg.Go(func() {
				for i := range 50 {
					method := []string{"POST", "GET", "PUT"}[i%3]
					if err := h.do(method, "alice", token, fmt.Sprintf(`{"n":"%d-%d-%d"}`, n, client, i)); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	history := append(histories[0].history, histories[1].history...)
	first := Operation{Org: "acme", Write: true, Answered: true, Document: `{"n":29}`, Revision: last}
	v := CheckRegister(append(history, first), environments[0].proxy.Commits())
	if len(v.Problems)+len(v.Repeated) > 0 {
		t.Errorf("%s\n%s", strings.Join(v.Problems, "\n"), strings.Join(v.Repeated, "\n"))
	}
}
