package api_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/golang-jwt/jwt/v5"

	"orgsettings/infra/local/dynamodb"
	"orgsettings/internal/api"
	"orgsettings/internal/auth"
	"orgsettings/internal/dynamo"
	"orgsettings/internal/settings"
)

// service is the whole program without a Lambda: the handler over a real
// verifier with keys over HTTP, and a real client of a database engine.
type service struct {
	handler  http.Handler
	key      *rsa.PrivateKey
	issuer   *httptest.Server
	database *httptest.Server
	log      *safeBuffer
}

// safeBuffer is a log that may be read while it is written.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// take returns what was written since the last call.
func (b *safeBuffer) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.b.Reset()
	return b.b.String()
}

const audience = "settings"

func newService(t *testing.T, change ...func(*auth.Config)) *service {
	t.Helper()
	s := &service{log: new(safeBuffer)}
	var err error
	if s.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	jwk, err := jwkset.NewJWKFromKey(&s.key.PublicKey, jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: "k1", ALG: jwkset.AlgRS256}})
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jwkset.JWKSMarshal{Keys: []jwkset.JWKMarshal{jwk.Marshal()}})
	if err != nil {
		t.Fatal(err)
	}
	s.issuer = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(set) }))
	t.Cleanup(s.issuer.Close)
	s.database = httptest.NewServer(dynamodb.New())
	t.Cleanup(s.database.Close)

	cfg := aws.Config{
		Region:       "eu-central-1",
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
		BaseEndpoint: &s.database.URL,
	}
	putUsers(t, awsdynamodb.NewFromConfig(cfg))

	logger := slog.New(slog.NewJSONHandler(s.log, nil))
	authConfig := auth.Config{
		Issuer: "https://issuer.example", Audiences: []string{audience}, JWKSURL: s.issuer.URL, JWKSMaxAge: time.Minute,
		UserClaim: "sub", Logger: logger, Now: time.Now,
	}
	for _, c := range change {
		c(&authConfig)
	}
	verifier, err := auth.New(authConfig)
	if err != nil {
		t.Fatal(err)
	}
	db := dynamo.New(cfg, dynamo.Tables{Users: "users", Settings: "settings"})
	s.handler = api.New(api.Config{Service: settings.New(db, db, time.Now), Verifier: verifier, Logger: logger, Timeout: 4500 * time.Millisecond})
	return s
}

func putUsers(t *testing.T, client *awsdynamodb.Client) {
	t.Helper()
	for table, key := range map[string]string{"users": "userId", "settings": "orgId"} {
		_, err := client.CreateTable(t.Context(), &awsdynamodb.CreateTableInput{
			TableName:            &table,
			BillingMode:          types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: &key, AttributeType: types.ScalarAttributeTypeS}},
			KeySchema:            []types.KeySchemaElement{{AttributeName: &key, KeyType: types.KeyTypeHash}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, user := range []struct{ id, org, role string }{
		{"alice", "acme", "255"}, {"adam", "acme", "254"}, {"dave", "acme", "0"}, {"carol", "globex", "255"}, {"erin", "initech", ""}, {"bob", "", "255"},
	} {
		item := map[string]types.AttributeValue{"userId": &types.AttributeValueMemberS{Value: user.id}}
		if user.org != "" {
			item["orgId"] = &types.AttributeValueMemberS{Value: user.org}
		}
		if user.role != "" {
			item["role"] = &types.AttributeValueMemberN{Value: user.role}
		}
		if _, err := client.PutItem(t.Context(), &awsdynamodb.PutItemInput{TableName: aws.String("users"), Item: item}); err != nil {
			t.Fatal(err)
		}
	}
}

// token returns a good token of user, changed by claims; nil removes one.
func (s *service) token(t *testing.T, user string, claims jwt.MapClaims) string {
	t.Helper()
	all := jwt.MapClaims{"iss": "https://issuer.example", "aud": audience, "sub": user, "exp": time.Now().Add(time.Hour).Unix()}
	maps.Copy(all, claims)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, all)
	token.Header["kid"] = "k1"
	signed, err := token.SignedString(s.key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// call sends one request. Header fields are given in pairs of name and value.
func (s *service) call(t *testing.T, method, body string, fields ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/settings/organization", strings.NewReader(body))
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w.Result()
}

func (s *service) as(t *testing.T, user string) []string {
	return []string{"Authorization", "Bearer " + s.token(t, user, nil)}
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
