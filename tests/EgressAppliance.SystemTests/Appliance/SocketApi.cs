using System.Net.Sockets;

namespace EgressAppliance.SystemTests.Appliance;

/// <summary>The HTTP API of an appliance over its Unix socket, which is reachable from every namespace.</summary>
internal static class SocketApi
{
    /// <summary>A client of it.</summary>
    public static HttpClient Connect(string socket) => new HttpClient(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellation) =>
        {
            var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellation);
                return new NetworkStream(connection, ownsSocket: true);
            }
            catch (SocketException e)
            {
                connection.Dispose();
                throw new IOException($"the appliance does not listen on {socket}: {e.Message}", e);
            }
        },
    })
    {
        BaseAddress = new Uri("http://appliance/"),
        Timeout = TimeSpan.FromSeconds(30),
    };
}
