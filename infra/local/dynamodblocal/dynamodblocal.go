// Package dynamodblocal runs Amazon's DynamoDB Local for tests, as a separate
// process. It finds, starts and ends it. It downloads nothing, which fetch.sh does,
// and knows nothing of tables.
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
// a URL. The process ends with tb and its subtests, so a package with many tests
// calls Start once, in a test that runs them as subtests. Without DynamoDB Local or
// java, tb ends as by [testenv.Missing]. Access key ids must be alphanumeric.
func Start(tb testing.TB) (endpoint string) {
	tb.Helper()
	command := find(tb)
	port := freePort(tb)
	command.Args = append(command.Args, "-inMemory", "-sharedDb", "-disableTelemetry", "-port", strconv.Itoa(port))
	command.Dir = tb.TempDir() // DynamoDB Local leaves a file there
	var output bytes.Buffer    // may be read when the process has ended
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
		tb.Fatalf("DynamoDB Local did not start at %s; its output:\n%s", endpoint, &output)
	}
	return endpoint
}

// find returns the command that runs DynamoDB Local. It sets the class path, because
// the manifest's is right only for Amazon's own bundle of the libraries.
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

// await reports whether endpoint answers HTTP, with any status, before the process
// ends and before startTimeout.
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
