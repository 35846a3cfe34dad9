package soak

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Process is what /proc says about a process.
type Process struct {
	ResidentKB, Threads, Files int
}

// ReadProcess reads the process pid.
func ReadProcess(pid int) (Process, error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return Process{}, fmt.Errorf("read process %d: %w", pid, err)
	}
	files, err := os.ReadDir(filepath.Join(dir, "fd"))
	if err != nil {
		return Process{}, fmt.Errorf("read process %d: %w", pid, err)
	}
	p := Process{Files: len(files)}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		number, _, _ := strings.Cut(strings.TrimSpace(value), " ")
		switch name {
		case "VmRSS":
			p.ResidentKB, err = strconv.Atoi(number)
		case "Threads":
			p.Threads, err = strconv.Atoi(number)
		}
		if err != nil {
			return Process{}, fmt.Errorf("read process %d: %w", pid, err)
		}
	}
	return p, nil
}

// Socket is one network socket of a process.
type Socket struct {
	Protocol      string // tcp, tcp6, udp, udp6 or unix
	Local, Remote string // addresses as /proc has them; of a unix socket the path
	Listening     bool   // accepts connections or, without a peer, datagrams
}

// Sockets returns the sockets of the process pid.
func Sockets(pid int) ([]Socket, error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	own, err := inodes(dir)
	if err != nil {
		return nil, fmt.Errorf("read the sockets of process %d: %w", pid, err)
	}
	var sockets []Socket
	for _, protocol := range []string{"tcp", "tcp6", "udp", "udp6", "unix"} {
		table, err := os.ReadFile(filepath.Join(dir, "net", protocol))
		if os.IsNotExist(err) {
			continue // no IPv6
		}
		if err != nil {
			return nil, fmt.Errorf("read the sockets of process %d: %w", pid, err)
		}
		_, rows, _ := strings.Cut(string(table), "\n") // after the heading
		for row := range strings.Lines(rows) {
			if s, inode, ok := parseSocket(protocol, strings.Fields(row)); ok && slices.Contains(own, inode) {
				sockets = append(sockets, s)
			}
		}
	}
	return sockets, nil
}

// inodes returns those of the sockets that a process holds open.
func inodes(dir string) ([]string, error) {
	files, err := os.ReadDir(filepath.Join(dir, "fd"))
	if err != nil {
		return nil, err
	}
	var found []string
	for _, f := range files {
		target, err := os.Readlink(filepath.Join(dir, "fd", f.Name()))
		if err != nil {
			continue // it was closed meanwhile
		}
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			found = append(found, strings.TrimSuffix(inode, "]"))
		}
	}
	return found, nil
}

// parseSocket reads one row of /proc/PID/net (proc_pid_net(5)).
func parseSocket(protocol string, fields []string) (s Socket, inode string, ok bool) {
	const tcpListen, udpUnconnected, unixAccepts = "0A", "07", "00010000"
	switch {
	case protocol == "unix" && len(fields) >= 7:
		s = Socket{Protocol: protocol, Listening: fields[3] == unixAccepts}
		if len(fields) > 7 {
			s.Local = fields[7]
		}
		return s, fields[6], true
	case protocol != "unix" && len(fields) >= 10:
		state := tcpListen
		if strings.HasPrefix(protocol, "udp") {
			state = udpUnconnected
		}
		return Socket{Protocol: protocol, Local: fields[1], Remote: fields[2], Listening: fields[3] == state}, fields[9], true
	}
	return Socket{}, "", false
}
