// Command hostile runs a command with BASE_URL set to a server that answers every
// request with one status and body, as a proxy in front of the service might:
//
//	hostile STATUS BODY COMMAND [ARGUMENT...]
//
// It exits with the command's code.
package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
)

func run(args []string) error {
	if len(args) < 3 {
		return errors.New("usage: hostile STATUS BODY COMMAND [ARGUMENT...]")
	}
	status, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, args[1])
	}))
	defer server.Close()
	command := exec.Command(args[2], args[3:]...)
	command.Env = append(os.Environ(), "BASE_URL="+server.URL)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	return command.Run()
}

func main() {
	err := run(os.Args[1:])
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(125)
	}
}
