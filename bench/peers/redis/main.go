// An ext_authz server as users write it today: counters in Redis, one Lua script a check.
package main

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"flag"
	"fmt"
	"log"
	"net"
	"strings"

	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc"

	"connectionledger.io/bench/peers/answer"
)

//go:embed admit.lua
var admit string

var (
	redisAddress = flag.String("redis", "127.0.0.1:6379", "where Redis listens")
	perSecond    = flag.Float64("connections-per-second", 1_000_000, "of each pool")
	burst        = flag.Float64("burst", 1_000_000, "of each pool")
	limit        = flag.Int("per-pod-max", 1_000_000, "connections of each pod")
	expiry       = flag.Int("expiry", 15, "seconds until a connection that nobody closes is forgotten")
	addresses    = flag.String("addresses", "", "ip:port of each pod, comma-separated; empty for made-up ones")
	pods         = flag.Int("pods", 500, "made-up pods of each pool")
)

type server struct {
	auth.UnimplementedAuthorizationServer
	redis  *redis.Client
	script *redis.Script
}

func (s *server) Check(ctx context.Context, request *auth.CheckRequest) (*auth.CheckResponse, error) {
	pool := request.Attributes.ContextExtensions["pool"]
	var random [12]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, err
	}
	id := base64.RawURLEncoding.EncodeToString(random[:])
	result, err := s.script.EvalSha(ctx, s.redis,
		[]string{pool + ":bucket", pool + ":pods", pool + ":connections", pool + ":rejections:"},
		*perSecond, *burst, *limit, *expiry, id).Slice()
	if err != nil {
		return nil, err
	}
	text := result[1].(string)
	if result[0].(int64) == 0 {
		return answer.Rejected(pool, text), nil
	}
	return answer.Allowed(pool, text, id), nil
}

func (s *server) addPods(pool string) error {
	var all []redis.Z
	if *addresses != "" {
		for _, address := range strings.Split(*addresses, ",") {
			all = append(all, redis.Z{Member: address})
		}
	} else {
		for i := 0; i < *pods; i++ {
			all = append(all, redis.Z{Member: fmt.Sprintf("10.0.%d.%d:8080", i>>8, i&255)})
		}
	}
	return s.redis.ZAddNX(context.Background(), pool+":pods", all...).Err()
}

func main() {
	flag.Parse()
	s := &server{
		redis:  redis.NewClient(&redis.Options{Addr: *redisAddress}),
		script: redis.NewScript(admit),
	}
	if err := s.script.Load(context.Background(), s.redis).Err(); err != nil {
		log.Fatal(err)
	}
	for _, pool := range flag.Args() {
		if err := s.addPods(pool); err != nil {
			log.Fatal(err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	g := grpc.NewServer()
	auth.RegisterAuthorizationServer(g, s)
	log.Fatal(g.Serve(listener))
}
