package gateway

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// event is a request in payload format 2.0.
type event struct {
	Version               string            `json:"version"`
	RouteKey              string            `json:"routeKey"`
	RawPath               string            `json:"rawPath"`
	RawQueryString        string            `json:"rawQueryString"`
	Cookies               []string          `json:"cookies,omitempty"`
	Headers               map[string]string `json:"headers"`
	QueryStringParameters map[string]string `json:"queryStringParameters,omitempty"`
	PathParameters        map[string]string `json:"pathParameters,omitempty"`
	RequestContext        requestContext    `json:"requestContext"`
	Body                  string            `json:"body,omitempty"`
	IsBase64Encoded       bool              `json:"isBase64Encoded"`
}

type requestContext struct {
	AccountID    string      `json:"accountId"`
	APIID        string      `json:"apiId"`
	DomainName   string      `json:"domainName"`
	DomainPrefix string      `json:"domainPrefix"`
	HTTP         requestHTTP `json:"http"`
	RequestID    string      `json:"requestId"`
	RouteKey     string      `json:"routeKey"`
	Stage        string      `json:"stage"`
	Time         string      `json:"time"`
	TimeEpoch    int64       `json:"timeEpoch"` // milliseconds
}

type requestHTTP struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// What AWS names in a deployment.
const (
	accountID = "123456789012"
	apiID     = "local"
)

func newEvent(r *http.Request, body []byte, stage, route, id string, now time.Time) *event {
	sourceIP, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		sourceIP = r.RemoteAddr
	}
	now = now.UTC()
	e := &event{
		Version:               "2.0",
		RouteKey:              route,
		RawPath:               r.URL.Path,
		RawQueryString:        r.URL.RawQuery,
		Cookies:               cookies(r.Header),
		Headers:               headers(r, sourceIP, len(body), now),
		QueryStringParameters: queryParameters(r.URL.RawQuery),
		RequestContext: requestContext{
			AccountID:    accountID,
			APIID:        apiID,
			DomainName:   r.Host,
			DomainPrefix: apiID,
			HTTP: requestHTTP{
				Method:    r.Method,
				Path:      r.URL.Path,
				Protocol:  r.Proto,
				SourceIP:  sourceIP,
				UserAgent: r.UserAgent(),
			},
			RequestID: id,
			RouteKey:  route,
			Stage:     stage,
			Time:      now.Format("02/Jan/2006:15:04:05 -0700"),
			TimeEpoch: now.UnixMilli(),
		},
	}
	// JSON holds no text that is not UTF-8. As base64 nothing of it is lost.
	e.IsBase64Encoded = len(body) > 0 && (!isText(r.Header.Get("Content-Type")) || !utf8.Valid(body))
	if e.IsBase64Encoded {
		e.Body = base64.StdEncoding.EncodeToString(body)
	} else {
		e.Body = string(body)
	}
	return e
}

func (e *event) payload() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil {
		return nil, fmt.Errorf("write event: %w", err)
	}
	return b.Bytes(), nil
}

// isText reports whether a body of this type is text in the event.
func isText(contentType string) bool {
	essence, _, _ := strings.Cut(contentType, ";")
	switch essence = strings.ToLower(strings.TrimSpace(essence)); essence {
	case "application/json", "application/xml", "application/javascript":
		return true
	default:
		return strings.HasPrefix(essence, "text/")
	}
}

// headers returns the header fields without cookies, with names in lower case,
// repeated fields joined, and the fields that the gateway adds.
func headers(r *http.Request, sourceIP string, length int, now time.Time) map[string]string {
	hs := make(map[string]string, len(r.Header)+6)
	for name, values := range r.Header {
		if name = strings.ToLower(name); name != "cookie" && name != "expect" && !isHopByHop(name) {
			hs[name] = strings.Join(values, ",")
		}
	}
	_, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		port = "80"
	}
	hs["host"] = r.Host
	hs["content-length"] = strconv.Itoa(length)
	if before := hs["x-forwarded-for"]; before != "" {
		sourceIP = before + ", " + sourceIP
	}
	hs["x-forwarded-for"] = sourceIP
	hs["x-forwarded-port"] = port
	hs["x-forwarded-proto"] = "http"
	hs["x-amzn-trace-id"] = cmp.Or(hs["x-amzn-trace-id"], traceID(now))
	return hs
}

// isHopByHop reports whether a header field is for one connection only (RFC 9110
// section 7.6.1).
func isHopByHop(name string) bool {
	switch name {
	case "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade":
		return true
	}
	return false
}

func traceID(now time.Time) string {
	var b [12]byte
	rand.Read(b[:])
	return fmt.Sprintf("Root=1-%08x-%s", now.Unix(), hex.EncodeToString(b[:]))
}

func cookies(h http.Header) []string {
	var cs []string
	for _, line := range h.Values("Cookie") {
		for c := range strings.SplitSeq(line, ";") {
			if c = strings.TrimSpace(c); c != "" {
				cs = append(cs, c)
			}
		}
	}
	return cs
}

// queryParameters returns the decoded query with the values of a repeated name
// joined. It is nil for an empty query.
func queryParameters(query string) map[string]string {
	var ps map[string]string
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, value = unescape(name), unescape(value)
		if ps == nil {
			ps = make(map[string]string)
		}
		if before, ok := ps[name]; ok {
			value = before + "," + value
		}
		ps[name] = value
	}
	return ps
}

// unescape decodes a part of a query. A part that is invalid stays as it is.
func unescape(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}
