// hung.go - a Go program that hangs beside one goroutine that sleeps, so that Go does not end it: hung KIND
package main

import (
	"os"
	"sync"
	"time"
)

func main() {
	var a, b sync.Mutex
	held := make(chan int)
	if len(os.Args) < 2 || os.Args[1] != "mutexes" {
		os.Exit(99)
	}
	go time.Sleep(5 * time.Minute)
	go func() {
		b.Lock()
		held <- 1
		a.Lock()
	}()
	a.Lock()
	<-held
	b.Lock()
}
