// An ext_authz server that answers each check alike: the least that grpc-go takes for one.
package main

import (
	"context"
	"fmt"
	"log"
	"net"

	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"

	"connectionledger.io/bench/peers/answer"
)

type server struct {
	auth.UnimplementedAuthorizationServer
}

var allowed = answer.Allowed("chat", "10.0.0.1:8080", "AZ5yZqoAQ0d3NnRE")

func (server) Check(context.Context, *auth.CheckRequest) (*auth.CheckResponse, error) {
	return allowed, nil
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	s := grpc.NewServer()
	auth.RegisterAuthorizationServer(s, server{})
	log.Fatal(s.Serve(listener))
}
