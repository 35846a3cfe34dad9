package lambda_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	runtime "github.com/aws/aws-lambda-go/lambda"
)

// program is the environment variable that makes this test binary a bootstrap,
// and says which.
const program = "TEST_PROGRAM"

func TestMain(m *testing.M) {
	name, ok := os.LookupEnv(program)
	if !ok {
		os.Exit(m.Run())
	}
	switch environ := os.Environ(); name {
	case "library", "large library":
		if name == "large library" {
			use(300 << 20)
		}
		runtime.Start(func(_ context.Context, e event) (any, error) { return e.serve(environ) })
	case "raw":
		serveRaw()
	case "parent": // see TestDiesWithParent
		parent()
	case "hang":
		hang()
	case "exit":
		os.Exit(1)
	case "init error":
		post("init/error", `{"errorType":"Test.Init","errorMessage":"no luck"}`)
	case "init error, unreadable":
		post("init/error", `?`)
		hang()
	}
	os.Exit(1)
}

// hang does not go on. (An empty select would be found out as a deadlock.)
func hang() { time.Sleep(time.Hour) }

// use takes so many bytes of memory and gives them back.
func use(size int) {
	memory := make([]byte, size)
	for i := 0; i < len(memory); i += 4096 {
		memory[i] = 1
	}
	memory = nil
	debug.FreeOSMemory()
}

// event says what the function is to do with it.
type event struct {
	Do   string
	URL  string // what it waits for
	Size int    // of the response, or of the memory that it takes, in bytes
}

// process is what the function answers of itself.
type process struct {
	PID     int
	Dir     string
	Environ []string
}

func (e event) serve(environ []string) (any, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	self := process{PID: os.Getpid(), Dir: dir, Environ: environ}
	switch e.Do {
	case "fail":
		return nil, errors.New("this event fails")
	case "panic":
		panic("this event panics")
	case "exit":
		os.Exit(1)
	case "hang":
		fmt.Println(os.Getpid())
		hang()
	case "print":
		fmt.Fprint(os.Stdout, "to stdout;")
		fmt.Fprint(os.Stderr, "to stderr;")
	case "orphan": // a process that keeps this one's output open
		c := exec.Command(os.Args[0])
		c.Env, c.Stdout = []string{program + "=hang"}, os.Stdout
		if err := c.Start(); err != nil {
			return nil, err
		}
		self.PID = c.Process.Pid
	case "grow", "grow and hang":
		use(e.Size)
		if e.Do == "grow and hang" {
			hang()
		}
	case "size":
		return json.RawMessage(`"` + strings.Repeat("x", e.Size-2) + `"`), nil
	case "wait":
		r, err := http.Get(e.URL)
		if err != nil {
			return nil, err
		}
		defer r.Body.Close()
	}
	return self, nil
}

func runtimeURL(path string) string {
	return "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/" + path
}

// answer is what the Runtime API says.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

func post(path, body string) answer {
	r, err := http.Post(runtimeURL(path), "application/json", strings.NewReader(body))
	return read(r, err)
}

func read(r *http.Response, err error) answer {
	if err != nil {
		return answer{Body: err.Error()}
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return answer{Body: err.Error()}
	}
	return answer{r.StatusCode, r.Header, string(body)}
}

// serveRaw serves events without a library. It answers with what the Runtime API
// said to it.
func serveRaw() {
	var before answer // to the last request about the event before
	for {
		next := read(http.Get(runtimeURL("invocation/next")))
		path := "invocation/" + next.Header.Get("Lambda-Runtime-Aws-Request-Id") + "/"
		seen := next
		switch next.Body {
		case "before":
			seen = before
		case "wrong id":
			seen = post("invocation/00000000-0000-0000-0000-000000000000/response", "{}")
		case "wrong id, error":
			seen = post("invocation/00000000-0000-0000-0000-000000000000/error", "{}")
		case "unknown path":
			seen = post("invocation/next", "")
		case "error":
			before = post(path+"error", `{"errorType":"Test.Event","errorMessage":"no luck","stackTrace":[]}`)
			continue
		case "unreadable error":
			before = post(path+"error", `?`)
			continue
		case "truncated":
			r, err := http.NewRequest("POST", runtimeURL(path+"response"), io.MultiReader(strings.NewReader(`{"a":`), failing{}))
			if err != nil {
				panic(err)
			}
			before = read(http.DefaultClient.Do(r))
			continue
		}
		payload, err := json.Marshal(seen)
		if err != nil {
			panic(err)
		}
		before = post(path+"response", string(bytes.TrimSpace(payload)))
		switch next.Body {
		case "twice":
			before = post(path+"response", `"second"`)
		case "error after response":
			before = post(path+"error", `{"errorType":"Test.Event"}`)
		case "last":
			os.Exit(0)
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the rest is lost") }
