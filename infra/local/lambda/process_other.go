//go:build !linux

package lambda

import "syscall"

// dieWithParent does nothing where the kernel offers nothing: a process then
// outlives this one if this one is killed.
func dieWithParent() *syscall.SysProcAttr { return nil }
