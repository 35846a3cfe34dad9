package stack

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"orgsettings/infra/local/testenv"
)

const templatePath = "../../../template.yaml"

// call sends one request as user and returns status and body.
func (s *Stack) call(t *testing.T, method, user, body string) (int, string) {
	t.Helper()
	token, err := s.Issuer.Token(user, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/settings/organization", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestStart(t *testing.T) {
	t.Parallel()
	s, err := Start(t.Context(), Options{Template: templatePath, Output: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if s.BuildTime == 0 {
		t.Error("the program was not built")
	}
	for _, tt := range []struct {
		method, user, body string
		status             int
		want               string
	}{
		{"POST", "alice", `{"settings":{"theme":"dark"}}`, 200, `{"success":true,"message":"Organization settings updated successfully"}`},
		{"GET", "dave", "", 200, `{"success":true,"settings":{"theme":"dark"}}`},
		{"POST", "dave", `{"settings":{}}`, 403, `{"success":false,"message":"Insufficient permissions: only OWNER and ADMINISTRATOR roles can modify organization settings"}`},
		{"GET", "grace", "", 200, `{"success":true,"settings":{"theme":"dark"}}`},
		{"GET", "heidi", "", 200, `{"success":true,"settings":{"theme":"dark"}}`},
		{"GET", "carol", "", 200, `{"success":true,"settings":{}}`},
		{"POST", "frank", `{"settings":{"theme":"dark"}}`, 200, `{"success":true,"message":"Organization settings updated successfully"}`},
		{"POST", "erin", `{"settings":{}}`, 200, `{"success":true,"message":"Organization settings updated successfully"}`},
		{"GET", "bob", "", 404, `{"success":false,"message":"User not associated with any organization"}`},
		{"GET", "mallory", "", 404, `{"success":false,"message":"User not associated with any organization"}`},
	} {
		if status, body := s.call(t, tt.method, tt.user, tt.body); status != tt.status || body != tt.want {
			t.Errorf("%s by %s: %d %s, want %d %s", tt.method, tt.user, status, body, tt.status, tt.want)
		}
	}

	pids := s.Function.Environments()
	if len(pids) != 1 {
		t.Errorf("processes %v, want one", pids)
	}
	dir := s.buildDir
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d is left (%v)", pid, err)
		}
	}
	for _, url := range []string{s.URL, s.Issuer.URL(), s.DynamoDBURL} {
		if c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")); err == nil {
			c.Close()
			t.Errorf("%s is left", url)
		}
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder of the build is left (%v)", err)
	}
}

// A container reaches the stack by another address, and only what it needs of it.
func TestListen(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("skipped: only Linux has more loopback addresses than one")
	}
	s, err := Start(t.Context(), Options{Template: templatePath, Output: io.Discard, Listen: "127.0.0.2"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for url, want := range map[string]bool{s.URL: true, s.Issuer.URL(): true, s.DynamoDBURL: true, s.DocsURL: false} {
		c, err := net.Dial("tcp", strings.Replace(strings.TrimPrefix(url, "http://"), "127.0.0.1", "127.0.0.2", 1))
		if (err == nil) != want {
			t.Errorf("%s at 127.0.0.2: %v, want it to answer: %t", url, err, want)
		}
		if err == nil {
			c.Close()
		}
	}
	s.URL = strings.Replace(s.URL, "127.0.0.1", "127.0.0.2", 1)
	if status, body := s.call(t, "GET", "alice", ""); status != 200 {
		t.Errorf("GET by the other address: %d %s", status, body)
	}
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if c, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://")); err == nil {
		c.Close()
		t.Errorf("%s is left", s.URL)
	}
}

// A stack can use the database and the issuer of another stack.
func TestOutsideParts(t *testing.T) {
	t.Parallel()
	bootstrap, err := Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	whole, err := Start(t.Context(), Options{Template: templatePath, Bootstrap: bootstrap, Output: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { whole.Close() })
	guest, err := Start(t.Context(), Options{
		Template: templatePath, Bootstrap: bootstrap, Output: io.Discard, DynamoDBURL: whole.DynamoDBURL,
		JWKSURL: whole.Issuer.JWKSURL(), Issuer: whole.Issuer.URL(), Audience: whole.Issuer.Audience(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { guest.Close() })
	if guest.Issuer != nil || guest.DynamoDBURL != whole.DynamoDBURL {
		t.Errorf("the guest has an issuer or a database of its own: %+v", guest)
	}
	if status, body := whole.call(t, "POST", "alice", `{"settings":{"a":1}}`); status != 200 {
		t.Fatalf("POST: %d %s", status, body)
	}
	guest.Issuer = whole.Issuer
	if _, body := guest.call(t, "GET", "alice", ""); body != `{"success":true,"settings":{"a":1}}` {
		t.Errorf("the guest reads %s", body)
	}
}

func TestStartRefuses(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(unused(t))
	const loopback = "it is not a loopback address such as 127.0.0.1, and the stack gives a token to everyone who asks"
	for _, tt := range []struct {
		options Options
		want    string
	}{
		{Options{Addr: taken.Addr().String()}, "listen on " + taken.Addr().String() + ": bind: address already in use"},
		{Options{Addr: "0.0.0.0:0"}, "listen on 0.0.0.0:0: " + loopback},
		{Options{IssuerAddr: ":0"}, "listen on :0: " + loopback},
		{Options{DynamoDBAddr: "192.0.2.1:0"}, "listen on 192.0.2.1:0: " + loopback},
		{Options{DynamoDBAddr: "3002"}, "listen on 3002: it is not HOST:PORT"},
		{Options{Listen: "0.0.0.0"}, "listen on 0.0.0.0: it is not the IP address of one network interface"},
		{Options{Addr: "127.0.0.1:" + port, Listen: "192.0.2.1"}, "listen on 192.0.2.1:" + port + ": bind: "},
		{Options{DynamoDBURL: "http://" + unused(t)}, "-dynamodb: fill the database at"},
		{Options{Bootstrap: "absent"}, "find the bootstrap: stat absent: no such file or directory"},
		{Options{Template: "absent.yaml"}, "absent.yaml: no such file or directory"},
	} {
		if tt.options.Template == "" {
			tt.options.Template = templatePath
		}
		s, err := Start(t.Context(), tt.options)
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("error %v, want %s", err, tt.want)
		}
	}
}

// unused returns an address that nothing listens on.
func unused(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// The local program is built with the flags of the deployed one.
func TestBuildFlags(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile(filepath.Join(filepath.Dir(templatePath), "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "\nGO_FLAGS = " + strings.Join(flags(), " ") + "\n"; !strings.Contains(string(makefile), want) {
		t.Errorf("the Makefile lacks %q", want)
	}
}

// A start removes what a killed stack has left, and nothing else.
func TestSweep(t *testing.T) {
	t.Parallel()
	ended := exec.CommandContext(t.Context(), "true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	folder := func(pid int) string { return fmt.Sprintf("%s/%s%d-1", dir, buildDirPrefix, pid) }
	stays := []string{folder(os.Getpid()), folder(1), dir + "/" + buildDirPrefix + "test-1", dir + "/else"}
	for _, name := range append(stays, folder(ended.Process.Pid)+"/inner") {
		if err := os.MkdirAll(name, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	sweep(dir)
	slices.Sort(stays)
	if left, err := filepath.Glob(dir + "/*"); err != nil || !slices.Equal(left, stays) {
		t.Errorf("%q is left (%v), want %q", left, err, stays)
	}
}

// A request that finds no environment is answered 503, and the log says what allows more.
func TestNoEnvironment(t *testing.T) {
	t.Parallel()
	bootstrap := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(bootstrap, []byte("#!/bin/sh\necho started\nexec sleep 60\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	var log testenv.Log
	s, err := Start(t.Context(), Options{Template: templatePath, Bootstrap: bootstrap, Environments: 1, Output: &log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	go http.Get(s.URL + "/settings/organization")
	for len(s.Function.Environments()) == 0 {
		runtime.Gosched()
	}
	const want = "answered 503: every environment is busy: there are 1, the most that the function may have; make run FLAGS='-environments NUMBER' allows more of them\n"
	if status, _ := s.call(t, "GET", "alice", ""); status != 503 || !strings.Contains(log.String(), want) {
		t.Errorf("status %d, log %q", status, log.String())
	}
}

// A program that cannot run here is a 500, and the log says why.
func TestOtherArchitecture(t *testing.T) {
	t.Parallel()
	bootstrap := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(bootstrap, []byte("\x7fELF of another machine"), 0o755); err != nil {
		t.Fatal(err)
	}
	var log testenv.Log
	s, err := Start(t.Context(), Options{Template: templatePath, Bootstrap: bootstrap, Output: &log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	want := "answered 500: start the bootstrap: fork/exec " + bootstrap + ": exec format error; it may be built for another ARCHITECTURE\n"
	if status, _ := s.call(t, "GET", "alice", ""); status != 500 || log.String() != want {
		t.Errorf("status %d, log %q, want %q", status, log.String(), want)
	}
}

func TestReadUsers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`[{"user":"a","organization":"o","role":"OWNER"},{"user":"b","role":7},{"user":"c"}]`: "",
		`{}`:                           "cannot unmarshal object",
		`[]`:                           "it has no users",
		`[{"user":"a","rolle":1}]`:     `unknown field "rolle"`,
		`[{"organization":"o"}]`:       `user "" is empty or there twice`,
		`[{"user":"a"},{"user":"a"}]`:  `user "a" is empty or there twice`,
		`[{"user":"a","role":"BOSS"}]`: `the role of user "a" is not USER, BILLING, WORKSPACES, ADMINISTRATOR or OWNER, in capitals, or a number from 0 to 255`,
		`[{"user":"a","role":256}]`:    `the role of user "a" is not`,
		`[{"user":"a","role":1.5}]`:    `the role of user "a" is not`,
	} {
		path := filepath.Join(t.TempDir(), "users.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		users, err := readUsers(path)
		if want == "" {
			if err != nil || len(users) != 3 || *users[0].Role != 255 || *users[1].Role != 7 || users[2].Role != nil || users[2].Org != "" {
				t.Errorf("%s: %+v, %v", text, users, err)
			}
		} else if err == nil || !strings.HasPrefix(err.Error(), path+" is no list such as ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
	}
}
