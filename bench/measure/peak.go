package measure

import (
	"runtime/metrics"
	"time"
)

// A peak watches how large the heap grows, by looking at it every millisecond.
type peak struct {
	quit  chan struct{}
	most  chan uint64
	start uint64
}

// watch begins to watch.
func watch() *peak {
	p := &peak{quit: make(chan struct{}), most: make(chan uint64), start: heap()}
	go func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		most := p.start
		for {
			select {
			case <-tick.C:
				most = max(most, heap())
			case <-p.quit:
				p.most <- max(most, heap())
				return
			}
		}
	}()
	return p
}

// stop returns how many bytes the heap has grown at most.
func (p *peak) stop() uint64 {
	close(p.quit)
	return <-p.most - p.start
}

// heap returns the bytes of the heap, those included that are not collected yet.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
