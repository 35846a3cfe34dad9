package readme

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"orgsettings/infra/local/dynamodb"
)

// restoring is the embedded database with RestoreTableToPointInTime, which copies the current item of one
// organization.
type restoring struct {
	*dynamodb.Engine

	mu sync.Mutex
	at time.Time // of the last request
}

func (d *restoring) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".RestoreTableToPointInTime") {
		d.Engine.ServeHTTP(w, r)
		return
	}
	var request struct {
		SourceTableName, TargetTableName string
		RestoreDateTime                  float64
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	d.mu.Lock()
	d.at = time.Unix(int64(request.RestoreDateTime), 0).UTC()
	d.mu.Unlock()

	old := d.operation(r, "GetItem", `{"TableName":%q,"Key":{"orgId":{"S":"acme"}}}`, request.SourceTableName)
	d.operation(r, "CreateTable", `{"TableName":%q,"BillingMode":"PAY_PER_REQUEST",`+
		`"AttributeDefinitions":[{"AttributeName":"orgId","AttributeType":"S"}],"KeySchema":[{"AttributeName":"orgId","KeyType":"HASH"}]}`, request.TargetTableName)
	var found struct{ Item json.RawMessage }
	_ = json.Unmarshal(old, &found) // if nothing is found, nothing is put, and the next command fails
	d.operation(r, "PutItem", `{"TableName":%q,"Item":%s}`, request.TargetTableName, found.Item)
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	io.WriteString(w, `{"TableDescription":{"TableStatus":"CREATING"}}`)
}

// operation calls the database as the sender of r.
func (d *restoring) operation(r *http.Request, name, body string, args ...any) []byte {
	inner := r.Clone(r.Context())
	inner.Header.Set("X-Amz-Target", "DynamoDB_20120810."+name)
	inner.Body = io.NopCloser(bytes.NewReader(fmt.Appendf(nil, body, args...)))
	w := httptest.NewRecorder()
	d.Engine.ServeHTTP(w, inner)
	return w.Body.Bytes()
}

func (d *restoring) askedFor() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at.Format(time.RFC3339)
}
