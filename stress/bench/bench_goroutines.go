// bench_goroutines.go - the programs of bench_goroutines.c in Go.
package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"sync"
	"syscall"
	"time"
)

const times = 5

func cpuMs() float64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
}

func residentBytes() int64 {
	var a, b int64
	text, _ := os.ReadFile("/proc/self/statm")
	fmt.Sscan(string(text), &a, &b)
	return b * int64(os.Getpagesize())
}

func pingPong() {
	in, out := make(chan int), make(chan int)
	var wg sync.WaitGroup
	wg.Add(2)
	go func() {
		defer wg.Done()
		for v := range in {
			out <- v
		}
	}()
	go func() {
		defer wg.Done()
		for i := 0; i < 200000; i++ {
			in <- 0
			<-out
		}
		close(in)
	}()
	wg.Wait()
}

func spawnWait() {
	for i := 0; i < 2000; i++ {
		var wg sync.WaitGroup
		for k := 0; k < 100; k++ {
			wg.Add(1)
			go func() { defer wg.Done() }()
		}
		wg.Wait()
	}
}

func sieve() {
	for round := 0; round < 10; round++ {
		from := make(chan int)
		go func(out chan int) {
			for i := 2; i <= 660; i++ {
				select {
				case out <- i:
				default:
					out <- i
				}
			}
			close(out)
		}(from)
		var wg sync.WaitGroup
		for stages := 0; stages < 120; stages++ {
			prime, ok := <-from
			if !ok {
				break
			}
			out := make(chan int)
			wg.Add(1)
			go func(in, out chan int, prime int) {
				defer wg.Done()
				for v := range in {
					if v%prime != 0 {
						out <- v
					}
				}
				close(out)
			}(from, out, prime)
			from = out
		}
		for range from {
		}
		wg.Wait()
	}
}

func fanIn() {
	out := make(chan int)
	var wg sync.WaitGroup
	for i := 0; i < 100; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for k := 0; k < 2000; k++ {
				out <- k
			}
		}()
	}
	for i := 0; i < 100*2000; i++ {
		<-out
	}
	wg.Wait()
}

func selectThree() {
	var c [3]chan int
	for i := range c {
		c[i] = make(chan int)
	}
	done := make(chan struct{})
	var wg, feeders sync.WaitGroup
	for i := 0; i < 10; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				select {
				case <-c[0]:
				case <-c[1]:
				case <-c[2]:
				case <-done:
					return
				}
			}
		}()
	}
	for i := range c {
		feeders.Add(1)
		go func(out chan int) {
			defer feeders.Done()
			for k := 0; k < 50000; k++ {
				out <- k
			}
		}(c[i])
	}
	feeders.Wait()
	close(done)
	wg.Wait()
}

func pool() {
	in, out := make(chan int, 100), make(chan int, 100)
	var wg sync.WaitGroup
	for i := 0; i < 8; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for job := range in {
				out <- job * 2
			}
		}()
	}
	wg.Add(1)
	go func() {
		defer wg.Done()
		for i := 0; i < 200000; i++ {
			in <- i
		}
		close(in)
	}()
	for i := 0; i < 200000; i++ {
		<-out
	}
	wg.Wait()
}

var bytesEach float64

func alive(count int) {
	var wg sync.WaitGroup
	gate := make(chan int)
	before := residentBytes()
	for i := 0; i < count; i++ {
		wg.Add(1)
		go func() { defer wg.Done(); <-gate }()
	}
	time.Sleep(20 * time.Millisecond)
	bytesEach = float64(residentBytes()-before) / float64(count)
	close(gate)
	wg.Wait()
}

func buffered(pairs int) {
	c := make(chan int, 128)
	var wg sync.WaitGroup
	for i := 0; i < pairs; i++ {
		wg.Add(2)
		go func() {
			defer wg.Done()
			for k := 0; k < 800000/pairs; k++ {
				c <- k
			}
		}()
		go func() {
			defer wg.Done()
			for k := 0; k < 800000/pairs; k++ {
				<-c
			}
		}()
	}
	wg.Wait()
}

var counter int

func mutex() {
	var lock sync.Mutex
	var wg sync.WaitGroup
	for i := 0; i < 8; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for k := 0; k < 200000; k++ {
				lock.Lock()
				counter++
				lock.Unlock()
			}
		}()
	}
	wg.Wait()
}

func cancel() {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for i := 0; i < 10000; i++ {
		wg.Add(1)
		go func() { defer wg.Done(); <-ctx.Done() }()
	}
	cancel()
	wg.Wait()
}

func measure(name string, run func()) {
	var wall, cpu []float64
	bytesEach = 0
	for i := 0; i < times; i++ {
		start, spent := time.Now(), cpuMs()
		run()
		wall = append(wall, float64(time.Since(start).Nanoseconds())/1e6)
		cpu = append(cpu, cpuMs()-spent)
		if i == 0 && bytesEach > 0 {
			fmt.Printf("%s_bytes %.0f %.0f\n", name, bytesEach, bytesEach)
		}
	}
	sort.Float64s(wall)
	sort.Float64s(cpu)
	fmt.Printf("%s %.1f %.1f\n", name, wall[times/2], cpu[times/2])
}

func main() {
	for _, one := range []struct {
		name string
		run  func()
	}{{"ping_pong", pingPong}, {"spawn_wait", spawnWait}, {"sieve_120", sieve}, {"fan_in_100", fanIn},
		{"select_3_10", selectThree}, {"pool_8_100", pool},
		{"buffered_1_1", func() { buffered(1) }}, {"buffered_4_4", func() { buffered(4) }}, {"mutex_8", mutex},
		{"cancel_10k", cancel}, {"alive_10k", func() { alive(10000) }}, {"alive_100k", func() { alive(100000) }}} {
		if len(os.Args) < 2 || os.Args[1] == one.name {
			measure(one.name, one.run)
		}
	}
}
