//go:build !unix

package lambda

import "syscall"

func attributes() *syscall.SysProcAttr { return nil }
