package lambda

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// dieWithParent lets the kernel kill a process when the thread that started it
// ends, in whatever way.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// peakMemory returns the most bytes of memory that a process has had, and 0 for a process that has ended.
func peakMemory(pid int) int {
	status, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	text, _, _ := bytes.Cut(rest, []byte("kB"))
	kb, _ := strconv.Atoi(string(bytes.TrimSpace(text)))
	return kb << 10
}
