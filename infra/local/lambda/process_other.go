//go:build !linux

package lambda

import "syscall"

// attributes puts a process into a group of its own, as on Linux. If this process is killed, the other one ends when it
// asks for the next event.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
