package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
)

// conn speaks HTTP/1.1 to one server over a connection that it keeps.
type conn struct {
	dial func() (net.Conn, error)
	kept net.Conn // nil before the first request and after an error
	in   bufio.Reader
	answer
}

// answer is valid until the next request.
type answer struct {
	status int
	id     []byte // of an event, from the Runtime API
	body   []byte
}

var errNotHTTP = errors.New("answer is not HTTP/1.1")

// do sends a whole request and reads the answer. Over a kept connection that
// turns out dead it does so a second time, on a new one: no request of this
// program does harm twice.
func (c *conn) do(request []byte) (*answer, error) {
	wasKept := c.kept != nil
	err := c.try(request)
	if err != nil && wasKept {
		err = c.try(request)
	}
	return &c.answer, err
}

func (c *conn) try(request []byte) error {
	if err := c.open(); err != nil {
		return err
	}
	_, err := c.kept.Write(request)
	if err == nil {
		err = c.read()
	}
	if err != nil {
		_ = c.kept.Close() // it is given up for err
		c.kept = nil
	}
	return err
}

// open makes a connection if there is none.
func (c *conn) open() (err error) {
	if c.kept != nil {
		return nil
	}
	if c.kept, err = c.dial(); err != nil {
		c.kept = nil // and not an interface that holds a nil
		return err
	}
	c.in.Reset(c.kept)
	return nil
}

func (c *conn) read() error {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if len(line) < len("HTTP/1.1 200") || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return errNotHTTP
	}
	if c.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return errNotHTTP
	}
	length, chunked := 0, false
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("content-length")):
			if length, err = strconv.Atoi(string(value)); err != nil || length < 0 {
				return errNotHTTP
			}
		case bytes.EqualFold(name, []byte("transfer-encoding")):
			chunked = true
		case bytes.EqualFold(name, []byte("lambda-runtime-aws-request-id")):
			c.id = append(c.id[:0], value...)
		}
	}
	c.body = c.body[:0]
	if chunked {
		return c.readChunks()
	}
	return c.readBody(length)
}

func (c *conn) readChunks() error {
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		size, err := strconv.ParseUint(string(bytes.TrimRight(line, "\r\n")), 16, 31)
		if err != nil {
			return errNotHTTP
		}
		if err := c.readBody(int(size)); err != nil {
			return err
		}
		if _, err := c.in.Discard(len("\r\n")); err != nil || size == 0 {
			return err
		}
	}
}

// readBody appends length bytes to the body.
func (c *conn) readBody(length int) error {
	from := len(c.body)
	c.body = slices.Grow(c.body, length)[:from+length]
	_, err := io.ReadFull(&c.in, c.body[from:])
	return err
}
