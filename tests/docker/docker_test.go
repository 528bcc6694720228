// Package docker runs the shared test suite against a PostgreSQL server that
// it starts in a Docker container for the time of the test.
package docker

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/ory/dockertest/v3"
	dc "github.com/ory/dockertest/v3/docker"

	"github.com/kin-orm/kin/tests"
)

const (
	defaultImage = "postgres:17-alpine"
	label        = "com.github.kin-orm.kin.tests" // on each container of this test
	startTimeout = 2 * time.Minute                // from the container's start to the first answer
	hardLimit    = 30 * time.Minute               // then Docker kills a container that nobody purged
)

func TestPostgres(t *testing.T) {
	pool := dockerPool(t)
	dsn := startPostgres(t, pool)
	tests.Run(t, tests.Target{Name: "postgres", DSN: dsn})
}

// dockerPool connects to the Docker daemon. Without one the test is skipped,
// or fails if KIN_REQUIRE lists docker.
func dockerPool(t *testing.T) *dockertest.Pool {
	t.Helper()
	pool, err := dockertest.NewPool("")
	if err == nil {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		err = pool.Client.PingWithContext(ctx)
	}
	if err == nil {
		return pool
	}
	if required("docker") {
		t.Fatalf("KIN_REQUIRE asks for docker, but no Docker daemon answers: %v", err)
	}
	t.Skipf("no Docker daemon answers, PostgreSQL in Docker is not tested: %v", err)
	return nil
}

// required reports whether KIN_REQUIRE, a list with commas or spaces, has name.
func required(name string) bool {
	list := strings.FieldsFunc(os.Getenv("KIN_REQUIRE"), func(r rune) bool { return r == ',' || r == ' ' })
	return slices.Contains(list, name)
}

// startPostgres starts the container, waits until the server in it answers and
// returns its DSN. The container is removed when the test ends.
func startPostgres(t *testing.T, pool *dockertest.Pool) string {
	t.Helper()
	image := os.Getenv("KIN_DOCKER_IMAGE")
	if image == "" {
		image = defaultImage
	}
	repo, tag := splitImage(image)

	opts := &dockertest.RunOptions{
		Name:       fmt.Sprintf("kin-test-%d-%d", os.Getpid(), time.Now().UnixNano()),
		Repository: repo,
		Tag:        tag,
		Labels:     map[string]string{label: ""},
		Env:        []string{"POSTGRES_HOST_AUTH_METHOD=trust", "POSTGRES_USER=postgres", "POSTGRES_DB=kin"},
		// The data live as long as the test: no need to have them on the disk.
		Cmd: []string{"postgres", "-c", "fsync=off", "-c", "synchronous_commit=off"},
	}
	local := localDaemon(pool)
	hostPort := "" // known beforehand with the host's network only
	switch network := os.Getenv("KIN_DOCKER_NETWORK"); network {
	case "", "bridge":
		if local { // everyone is trusted: publish the port on this machine only
			opts.PortBindings = map[dc.Port][]dc.PortBinding{"5432/tcp": {{HostIP: "127.0.0.1"}}}
		}
	case "host":
		if !local {
			t.Fatal("KIN_DOCKER_NETWORK=host needs a Docker daemon on this machine")
		}
		port := freePort(t)
		hostPort = net.JoinHostPort("127.0.0.1", port)
		opts.Env = append(opts.Env, "PGPORT="+port)
		opts.Cmd = append(opts.Cmd, "-c", "listen_addresses=127.0.0.1")
	default:
		t.Fatalf("KIN_DOCKER_NETWORK is %q: it can be bridge (the default) or host", network)
	}

	removeStopped(pool)

	// Registered before the start, for a container that is made but does not
	// start; and done when the test is interrupted, too. The mutex makes the
	// interruption wait for a container that is being made, and the cleanup
	// for an interruption, which then ends the process.
	var resource *dockertest.Resource
	var mu sync.Mutex
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		if sig, ok := <-interrupted; ok {
			mu.Lock()
			err := pool.RemoveContainerByName(opts.Name)
			fmt.Fprintf(os.Stderr, "%v: removed the container %s (error: %v)\n", sig, opts.Name, err)
			os.Exit(1)
		}
	}()
	t.Cleanup(func() {
		mu.Lock()
		signal.Stop(interrupted)
		close(interrupted)
		var err error
		if resource != nil {
			err = pool.Purge(resource)
		} else {
			err = pool.RemoveContainerByName(opts.Name)
		}
		if err != nil {
			t.Errorf("removing the container %s: %v", opts.Name, err)
		}
	})

	began := time.Now()
	mu.Lock()
	var err error
	resource, err = pool.RunWithOptions(opts, func(hc *dc.HostConfig) {
		hc.NetworkMode = os.Getenv("KIN_DOCKER_NETWORK")
		hc.PublishAllPorts = hostPort == ""
	})
	mu.Unlock()
	if err != nil {
		t.Fatalf("starting a container of %s: %v", image, err)
	}
	_ = resource.Expire(uint(hardLimit.Seconds()))

	if hostPort == "" {
		if hostPort = resource.GetHostPort("5432/tcp"); hostPort == "" {
			t.Fatalf("a container of %s publishes no port 5432; its log:\n%s", image, logs(pool, opts.Name))
		}
		if !local {
			hostPort = onDaemonHost(pool, hostPort)
		}
	}
	dsn := (&url.URL{
		Scheme: "postgres", User: url.User("postgres"), Host: hostPort, Path: "/kin",
		RawQuery: "sslmode=disable",
	}).String()

	pool.MaxWait = startTimeout
	stopped := false
	err = pool.Retry(func() error {
		c, err := pool.Client.InspectContainer(resource.Container.ID)
		if err == nil && !c.State.Running {
			stopped = true // no use waiting longer
			return nil
		}
		return ping(t.Context(), dsn)
	})
	if stopped {
		err = errors.New("its container has stopped")
	}
	if err != nil {
		t.Fatalf("PostgreSQL in %s does not answer: %v\nthe container's log:\n%s", image, err, logs(pool, opts.Name))
	}
	t.Logf("%s answers at %s after %v", image, dsn, time.Since(began).Round(time.Millisecond))
	return dsn
}

// removeStopped removes stopped containers of former runs, which are left when
// a test was killed and could not clean up.
func removeStopped(pool *dockertest.Pool) {
	left, err := pool.Client.ListContainers(dc.ListContainersOptions{
		All:     true,
		Filters: map[string][]string{"label": {label}, "status": {"exited", "dead"}},
	})
	if err != nil {
		return
	}
	for _, c := range left {
		_ = pool.Client.RemoveContainer(dc.RemoveContainerOptions{ID: c.ID, RemoveVolumes: true})
	}
}

func ping(ctx context.Context, dsn string) error {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return db.PingContext(ctx)
}

// splitImage splits repo:tag; the repository may have a registry's port in it.
func splitImage(image string) (repo, tag string) {
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		return image[:i], image[i+1:]
	}
	return image, "latest"
}

// localDaemon reports whether the daemon is reached over a socket of this machine.
func localDaemon(pool *dockertest.Pool) bool {
	endpoint := pool.Client.Endpoint()
	return strings.HasPrefix(endpoint, "unix:") || strings.HasPrefix(endpoint, "npipe:")
}

// onDaemonHost replaces the host of hostPort with that of a remote daemon.
func onDaemonHost(pool *dockertest.Pool, hostPort string) string {
	u, err := url.Parse(pool.Client.Endpoint())
	if err != nil || u.Hostname() == "" {
		return hostPort
	}
	_, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return hostPort
	}
	return net.JoinHostPort(u.Hostname(), port)
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// logs returns the end of what the container printed.
func logs(pool *dockertest.Pool, name string) string {
	var out strings.Builder
	err := pool.Client.Logs(dc.LogsOptions{
		Container: name, OutputStream: &out, ErrorStream: &out, Stdout: true, Stderr: true, Tail: "40",
	})
	if err != nil {
		fmt.Fprintf(&out, "(no log: %v)", err)
	}
	return out.String()
}
