package soak

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"orgsettings/infra/local/stack"
)

// The deployed program listens on nothing, and is connected only to the Runtime API,
// the database and the issuer.
func TestDeployedProgramListensOnNothing(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *stack.Options) { o.Environments = 1 })
	token := s.token(t, "alice")
	for range 3 {
		s.mustCall(t, "POST", token, `{"settings":{}}`)
		s.mustCall(t, "GET", token, "")
	}
	for _, pid := range s.Function.Environments() {
		sockets, err := Sockets(pid)
		if err != nil {
			t.Fatal(err)
		}
		database := 0
		for _, socket := range sockets {
			if socket.Listening || strings.HasPrefix(socket.Protocol, "udp") {
				t.Errorf("the deployed program has an open %s socket %+v", socket.Protocol, socket)
			}
			if socket.Remote == hexAddress(t, s.DynamoDBURL) {
				database++
			}
			// 0100007F is 127.0.0.1 on the machines that this runs on.
			if strings.HasPrefix(socket.Protocol, "tcp") && !strings.HasPrefix(socket.Remote, "0100007F:") {
				t.Errorf("the deployed program is connected to %s", socket.Remote)
			}
		}
		if database == 0 || len(sockets) < 2 {
			t.Errorf("sockets %+v, want one to the database and one to the Runtime API at least", sockets)
		}
	}
	// Sockets finds a listening socket: this process serves the stack.
	own, err := Sockets(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	gateway := hexAddress(t, s.URL)
	if !slices.ContainsFunc(own, func(s Socket) bool { return s.Listening && s.Local == gateway }) {
		t.Errorf("the gateway is not found among %+v", own)
	}
}

// hexAddress returns the address of u, on 127.0.0.1, in the form of /proc.
func hexAddress(t *testing.T, u string) string {
	t.Helper()
	parsed, err := url.Parse(u)
	if err != nil {
		t.Fatal(err)
	}
	addr, err := net.ResolveTCPAddr("tcp", parsed.Host)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("0100007F:%04X", addr.Port)
}

// linked are the modules that the deployed program may be made of, or how their
// paths begin. Which packages of them it must not hold is the matter of
// TestShippedProgramLinks of functions/settings.
var linked = []string{
	"github.com/MicahParks/jwkset", "github.com/MicahParks/keyfunc/v3", "github.com/golang-jwt/jwt/v5", // tokens
	"github.com/aws/aws-lambda-go", "github.com/aws/aws-sdk-go-v2", "github.com/aws/smithy-go", // Lambda and DynamoDB
	"github.com/go-json-experiment/json", "github.com/klauspost/compress", // documents
	"golang.org/x/sync", // one fetch of keys at a time
	"golang.org/x/time", // of jwkset
}

// The deployed program links known modules alone, carries no handler of
// documentation or debugging and no symbols, and needs no library of the system.
func TestDeployedProgramIsBare(t *testing.T) {
	t.Parallel()
	program, err := os.ReadFile(bootstrap)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/debug/pprof", "/debug/vars", "/swagger", "/openapi.json"} {
		if bytes.Contains(program, []byte(path)) {
			t.Errorf("the deployed program contains %s", path)
		}
	}
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range info.Deps {
		t.Logf("links %s %s", module.Path, module.Version)
		if !slices.ContainsFunc(linked, func(known string) bool { return module.Path == known || strings.HasPrefix(module.Path, known+"/") }) {
			t.Errorf("the deployed program links the module %s", module.Path)
		}
	}
	if len(info.Deps) == 0 {
		t.Error("the deployed program tells of no module")
	}
	file, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	if libraries, err := file.ImportedLibraries(); err == nil && len(libraries) > 0 {
		t.Errorf("the deployed program needs %q", libraries)
	}
	if file.Section(".symtab") != nil || file.Section(".debug_info") != nil {
		t.Error("the deployed program carries symbols")
	}
}
