package lambda

import "syscall"

// attributes lets the kernel kill a process when the thread that started it ends, in whatever way. The process is in a
// group of its own, so that Ctrl-C in a terminal does not reach it and it can finish.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
