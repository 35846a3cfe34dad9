// Command go replaces the settings of an organization and reads them back:
//
//	BASE_URL=https://… TOKEN=… go run main.go
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

type settings struct {
	Theme  string `json:"theme"`
	Limits limits `json:"limits"`
}

type limits struct {
	MaxFileSize string `json:"maxFileSize"`
}

type answer struct {
	Message  string   `json:"message"`
	Settings settings `json:"settings"`
}

var client = http.Client{Timeout: 30 * time.Second}

func call(method string, body []byte) (*answer, error) {
	request, err := http.NewRequest(method, strings.TrimSuffix(os.Getenv("BASE_URL"), "/")+"/settings/organization", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("TOKEN"))
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	a := new(answer)
	if response.StatusCode >= 400 || json.Unmarshal(text, a) != nil {
		return nil, fmt.Errorf("%d %s", response.StatusCode, text)
	}
	return a, nil
}

func run() error {
	if os.Getenv("BASE_URL") == "" || os.Getenv("TOKEN") == "" {
		return errors.New("BASE_URL or TOKEN is missing")
	}
	body, err := json.Marshal(map[string]settings{"settings": {Theme: "dark", Limits: limits{MaxFileSize: "10GB"}}})
	if err != nil {
		return err
	}
	updated, err := call(http.MethodPost, body)
	if err != nil {
		return err
	}
	fmt.Println(updated.Message)
	read, err := call(http.MethodGet, nil)
	if err != nil {
		return err
	}
	fmt.Println(read.Settings.Limits.MaxFileSize)
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
