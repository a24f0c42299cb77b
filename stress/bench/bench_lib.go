// The same operations in Go. Each line: name, nanoseconds an operation (the best of many short rounds).
package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const rounds = 40

func measure(name string, n int, run func(n int)) {
	best := time.Duration(1 << 62)
	for i := 0; i < rounds; i++ {
		start := time.Now()
		run(n)
		if spent := time.Since(start); spent < best {
			best = spent
		}
	}
	fmt.Printf("%s %.2f\n", name, float64(best.Nanoseconds())/float64(n))
}

func channel(capacity, senders, receivers int) func(int) {
	return func(n int) {
		ch := make(chan int, capacity)
		var sending, receiving sync.WaitGroup
		for i := 0; i < senders; i++ {
			sending.Add(1)
			go func() {
				defer sending.Done()
				for j := 0; j < n/senders; j++ {
					ch <- j
				}
			}()
		}
		for i := 0; i < receivers; i++ {
			receiving.Add(1)
			go func() {
				defer receiving.Done()
				for range ch {
				}
			}()
		}
		sending.Wait()
		close(ch)
		receiving.Wait()
	}
}

func pingPong(n int) {
	ping, pong := make(chan int), make(chan int)
	go func() {
		for v := range ping {
			pong <- v
		}
		close(pong)
	}()
	for i := 0; i < n; i++ {
		ping <- i
		<-pong
	}
	close(ping)
	<-pong
}

func select2(n int) {
	a, b := make(chan int, 64), make(chan int, 64)
	for i := 0; i < n; i++ {
		select {
		case a <- i:
		case b <- i:
		}
		select {
		case <-a:
		case <-b:
		}
	}
}

func select8(n int) {
	var c [8]chan int
	for i := range c {
		c[i] = make(chan int, 64)
	}
	for i := 0; i < n; i++ {
		select {
		case c[0] <- i:
		case c[1] <- i:
		case c[2] <- i:
		case c[3] <- i:
		case c[4] <- i:
		case c[5] <- i:
		case c[6] <- i:
		case c[7] <- i:
		}
		select {
		case <-c[0]:
		case <-c[1]:
		case <-c[2]:
		case <-c[3]:
		case <-c[4]:
		case <-c[5]:
		case <-c[6]:
		case <-c[7]:
		}
	}
}

func spawnWait(n int) {
	for i := 0; i < n; i++ {
		var wg sync.WaitGroup
		wg.Add(1)
		go wg.Done()
		wg.Wait()
	}
}

func main() {
	measure("mutex", 500_000, func(n int) {
		var mu sync.Mutex
		for i := 0; i < n; i++ {
			mu.Lock()
			mu.Unlock()
		}
	})
	measure("rwmutex-read", 500_000, func(n int) {
		var mu sync.RWMutex
		for i := 0; i < n; i++ {
			mu.RLock()
			mu.RUnlock()
		}
	})
	measure("once", 2_000_000, func(n int) {
		var once sync.Once
		for i := 0; i < n; i++ {
			once.Do(func() {})
		}
	})
	measure("atomic-add", 1_000_000, func(n int) {
		var v atomic.Int64
		for i := 0; i < n; i++ {
			v.Add(1)
		}
	})
	measure("waitgroup", 500_000, func(n int) {
		var wg sync.WaitGroup
		for i := 0; i < n; i++ {
			wg.Add(1)
			wg.Done()
			wg.Wait()
		}
	})
	measure("spawn-wait", 2_000, spawnWait)
	measure("chan-1-1", 50_000, channel(128, 1, 1))
	measure("chan-4-4", 50_000, channel(128, 4, 4))
	measure("ping-pong", 5_000, pingPong)
	measure("select-2", 50_000, select2)
	measure("select-8", 20_000, select8)
}
