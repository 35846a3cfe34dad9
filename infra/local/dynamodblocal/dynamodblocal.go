// Package dynamodblocal runs Amazon's DynamoDB Local for tests, as a process of
// its own. It owns how that is found, started and ended; it knows nothing of
// tables, and it never downloads anything: fetch.sh does, on demand.
package dynamodblocal

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"orgsettings/infra/local/testenv"
)

// directory names the environment variable that names the folder with
// DynamoDBLocal.jar and DynamoDBLocal_lib.
const directory = "DYNAMODB_LOCAL_DIR"

const startTimeout = 30 * time.Second

// Start starts an empty DynamoDB Local on a free port and returns its endpoint,
// a URL. The process ends when tb and its subtests do, so a package with many
// tests calls Start once, in a test that runs them as subtests. Where DynamoDB
// Local or java is absent tb is skipped, but fails if the environment has
// CI=true. Access key ids must be alphanumeric.
func Start(tb testing.TB) (endpoint string) {
	tb.Helper()
	command := find(tb)
	port := freePort(tb)
	command.Args = append(command.Args, "-inMemory", "-sharedDb", "-disableTelemetry", "-port", strconv.Itoa(port))
	command.Dir = tb.TempDir() // where it leaves a file of its own
	var output bytes.Buffer    // to be read only when the process has ended
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		tb.Fatalf("start DynamoDB Local: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = command.Wait()
	}()
	end := func() {
		_ = command.Process.Kill()
		<-ended
	}
	tb.Cleanup(end)

	endpoint = fmt.Sprintf("http://127.0.0.1:%d", port)
	if !await(endpoint, ended) {
		end()
		tb.Fatalf("DynamoDB Local did not come up at %s; its output:\n%s", endpoint, &output)
	}
	return endpoint
}

// find returns the command that runs DynamoDB Local. It names the class path
// itself: the manifest's holds only for Amazon's own bundle of the libraries.
func find(tb testing.TB) *exec.Cmd {
	tb.Helper()
	dir := os.Getenv(directory)
	if dir == "" {
		testenv.Missing(tb, "%s is not set: run infra/local/dynamodblocal/fetch.sh DIR and set it to DIR to test against DynamoDB Local", directory)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		tb.Fatalf("find DynamoDB Local: %v", err)
	}
	jar, libraries := filepath.Join(dir, "DynamoDBLocal.jar"), filepath.Join(dir, "DynamoDBLocal_lib")
	if _, err := os.Stat(jar); err != nil {
		testenv.Missing(tb, "%s holds no DynamoDB Local (%v): run infra/local/dynamodblocal/fetch.sh %s", directory, err, dir)
	}
	java, err := exec.LookPath("java")
	if err != nil {
		testenv.Missing(tb, "%s is set, but DynamoDB Local needs java 17 on the PATH: %v", directory, err)
	}
	return exec.Command(java,
		"-Djava.library.path="+libraries,
		"-cp", jar+string(os.PathListSeparator)+filepath.Join(libraries, "*"),
		"com.amazonaws.services.dynamodbv2.local.main.ServerRunner")
}

func freePort(tb testing.TB) int {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("find a free port: %v", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// await says whether endpoint answers HTTP, whatever it answers, before the
// process has ended and the time is up.
func await(endpoint string, ended <-chan struct{}) bool {
	client := http.Client{Timeout: time.Second}
	deadline := time.After(startTimeout)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return false
		case <-deadline:
			return false
		case <-tick.C:
			if response, err := client.Get(endpoint); err == nil {
				response.Body.Close()
				return true
			}
		}
	}
}
