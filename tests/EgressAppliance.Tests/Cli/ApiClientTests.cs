using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using EgressAppliance.Host.Cli;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;
using EgressAppliance.Tests.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Cli;

/// <summary>The commands against the real endpoint with a fake appliance behind it, by socket and by address.</summary>
public sealed class ApiClientTests : IAsyncLifetime
{
    private readonly CliRunner _cli = new();
    private readonly FakeAppliance _appliance = new();
    private readonly string _socket = Path.Combine(Path.GetTempPath(), $"egress-cli-{Guid.NewGuid():N}.sock");
    private readonly AuditLog _audit = FakeAppliance.AuditInMemory();
    private ApiServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await ApiServer.StartAsync(
            new HttpConfig { Listen = new IPEndPoint(IPAddress.Loopback, 0), Socket = _socket }, _appliance, _audit,
            NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        await _audit.DisposeAsync();
    }

    [Theory]
    [InlineData("show status", "no_overload: No link is over its threshold.")]
    [InlineData("show links", "isp-a  edge1   prov-a")]
    [InlineData("show prefixes", "192.0.2.0/24  500 bit/s")]
    [InlineData("show prefixes --link isp-a --top 5", "AS64500")]
    [InlineData("show overrides", "No overrides")]
    [InlineData("show decisions", "No decision")]
    [InlineData("show bgp", "Established")]
    [InlineData("show bgp edge1", "last NOTIFICATION")]
    [InlineData("show capture", "truncated_ipv4")]
    [InlineData("show rib 192.0.2.1", "192.0.2.0/24, the router's preference first:")]
    [InlineData("explain 192.0.2.1", "It goes by its native link.")]
    [InlineData("mode", "observe")]
    public async Task Views_work_by_socket_and_by_url(string line, string expected)
    {
        Assert.Equal(ExitCode.Done, await _cli.RunAsync([.. line.Split(' '), "--socket", _socket]));
        Assert.Contains(expected, _cli.Out, StringComparison.Ordinal);
        string bySocket = _cli.Out;

        Assert.Equal(ExitCode.Done, await _cli.RunAsync(["--url", $"http://127.0.0.1:{_server.Port}/", .. line.Split(' ')]));
        Assert.Equal(bySocket, _cli.Out);

        Assert.Equal(ExitCode.Done, await _cli.RunAsync([.. line.Split(' '), "--json", "--socket", _socket]));
        using JsonDocument json = JsonDocument.Parse(_cli.Out);
        Assert.NotEqual(JsonValueKind.Undefined, json.RootElement.ValueKind);
    }

    [Fact]
    public async Task Changes_reach_the_appliance()
    {
        Assert.Equal(0, await _cli.RunAsync("mode", "inject", "--socket", _socket));
        Assert.Equal("inject\n", _cli.Out);
        Assert.Equal(0, await _cli.RunAsync("override", "add", "192.0.2.0/24", "isp-a", "--socket", _socket));
        Assert.Equal(0, await _cli.RunAsync("override", "release", "2001:db8::/32", "--socket", _socket, "--json"));
        Assert.Equal(0, await _cli.RunAsync("withdraw-all", "--socket", _socket, "--json"));
        Assert.Equal("{\"withdrawn\":3}\n", _cli.Out);
        Assert.Equal(0, await _cli.RunAsync("bgp", "refresh", "edge1", "--socket", _socket));
        Assert.Equal(["mode inject", "override 192.0.2.0/24 isp-a", "release 2001:db8::/32", "withdraw-all", "refresh edge1"], _appliance.Changes);
    }

    [Fact]
    public async Task Dump_writes_the_table_packed_if_the_name_says_so()
    {
        string folder = Directory.CreateTempSubdirectory("egress-dump-").FullName;
        try
        {
            string plain = Path.Combine(folder, "table.mrt");
            Assert.Equal(ExitCode.Done, await _cli.RunAsync("bgp", "dump", plain, "--socket", _socket));
            Assert.Equal(_appliance.Dump, await File.ReadAllBytesAsync(plain));
            Assert.Equal($"{plain}: written.\n", _cli.Out);
            Assert.Equal(ExitCode.Done, await _cli.RunAsync("bgp", "dump", plain + ".gz", "--socket", _socket));
            using MemoryStream unpacked = new();
            await using (GZipStream packed = new(File.OpenRead(plain + ".gz"), CompressionMode.Decompress))
            {
                await packed.CopyToAsync(unpacked);
            }

            Assert.Equal(_appliance.Dump, unpacked.ToArray());

            // A dump that fails leaves what was there before, and nothing else.
            _appliance.Dump = null;
            Assert.Equal(ExitCode.Failed, await _cli.RunAsync("bgp", "dump", plain, "--socket", _socket));
            Assert.Contains("Another dump of the table is being written.", _cli.Error, StringComparison.Ordinal);
            Assert.Equal(2, Directory.GetFiles(folder).Length);
            Assert.Equal(3, new FileInfo(plain).Length);
            Assert.Equal(ExitCode.Failed, await _cli.RunAsync("bgp", "dump", Path.Combine(folder, "no", "such"), "--socket", _socket));
            Assert.Contains("no/such", _cli.Error, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Dump_that_ends_early_is_an_error_and_no_file()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        Task serve = ServeAsync(listener, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        string file = Path.Combine(Path.GetTempPath(), $"egress-dump-{Guid.NewGuid():N}.mrt");
        Assert.Equal(ExitCode.Failed, await _cli.RunAsync("bgp", "dump", file, "--url", $"http://{listener.LocalEndpoint}"));
        Assert.Contains("before it was whole", _cli.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(file) || File.Exists(file + ".part"));
        await serve;
    }

    [Theory]
    [InlineData("override add 192.0.2.0/24 isp-x", "No path by that link.")]
    [InlineData("explain 198.51.100.1", "'prefix' is an address or a prefix")]
    [InlineData("show rib 198.51.100.1", "'prefix' is an address or a prefix")]
    [InlineData("show prefixes --link isp-x", "isp-x")]
    [InlineData("show bgp edge9", "There is no router 'edge9'. Routers: edge1.")]
    [InlineData("bgp refresh edge9", "There is no router 'edge9'.")]
    public async Task Problem_of_the_appliance_is_shown(string line, string detail)
    {
        Assert.Equal(ExitCode.Failed, await _cli.RunAsync([.. line.Split(' '), "--socket", _socket]));
        Assert.Contains(detail, _cli.Error, StringComparison.Ordinal);
        Assert.Empty(_cli.Out);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "does not understand")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull", "empty answer")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", "does not understand")]
    [InlineData("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\n<html>", "502 Bad Gateway")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n", "302")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", "does not answer as the appliance does")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", "does not answer as the appliance does")]
    public async Task Answer_of_something_else_is_an_error(string answer, string expected)
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        Task serve = ServeAsync(listener, answer);
        Assert.Equal(ExitCode.Failed, await _cli.RunAsync("show", "status", "--url", $"http://{listener.LocalEndpoint}"));
        Assert.Contains(expected, _cli.Error, StringComparison.Ordinal);
        await serve;
    }

    private static async Task ServeAsync(TcpListener listener, string answer)
    {
        using TcpClient client = await listener.AcceptTcpClientAsync();
        NetworkStream stream = client.GetStream();
        byte[] request = new byte[4096];
        Assert.NotEqual(0, await stream.ReadAsync(request));
        await stream.WriteAsync(Encoding.ASCII.GetBytes(answer));
    }
}
