using System.Net.Sockets;
using System.Text;
using EgressAppliance.Host.Systemd;

namespace EgressAppliance.Tests.Systemd;

[CollectionDefinition(nameof(EnvironmentCollection), DisableParallelization = true)]
public sealed class EnvironmentCollection;

/// <summary>Sets a variable of the process, so nothing else runs beside it.</summary>
[Collection(nameof(EnvironmentCollection))]
public sealed class SystemdNotifierTests
{
    private const string Variable = "NOTIFY_SOCKET";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Messages_arrive_at_the_socket(bool isAbstract)
    {
        string name = Path.Combine(Path.GetTempPath(), $"ea-{Guid.NewGuid():N}");
        using Socket manager = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 30_000 };
        manager.Bind(new UnixDomainSocketEndPoint(isAbstract ? '\0' + name : name));
        try
        {
            using SystemdNotifier notifier = Make(isAbstract ? '@' + name : name);
            notifier.Ready();
            notifier.Alive("inject: all well.\nREADY=0");
            notifier.Stopping();
            Assert.Equal("READY=1", Receive(manager));
            Assert.Equal("WATCHDOG=1\nSTATUS=inject: all well. READY=0", Receive(manager));
            Assert.Equal("STOPPING=1", Receive(manager));
        }
        finally
        {
            File.Delete(name);
        }
    }

    [Fact]
    public void Manager_that_does_not_read_holds_nobody_up()
    {
        string name = "ea-" + Guid.NewGuid().ToString("N");
        using Socket manager = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 30_000 };
        manager.Bind(new UnixDomainSocketEndPoint('\0' + name));
        using SystemdNotifier notifier = Make('@' + name);
        for (int i = 0; i < 10_000; i++)
        {
            notifier.Alive("cycle");
        }

        Assert.StartsWith("WATCHDOG=1", Receive(manager), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/nonexistent/notify")]
    public void Without_a_manager_nothing_happens(string? path)
    {
        using SystemdNotifier notifier = Make(path);
        Exception? thrown = Record.Exception(() =>
        {
            notifier.Ready();
            notifier.Alive("cycle");
            notifier.Stopping();
        });
        Assert.Null(thrown);
    }

    private static SystemdNotifier Make(string? path)
    {
        string? before = Environment.GetEnvironmentVariable(Variable);
        Environment.SetEnvironmentVariable(Variable, path);
        try
        {
            return new SystemdNotifier();
        }
        finally
        {
            Environment.SetEnvironmentVariable(Variable, before);
        }
    }

    private static string Receive(Socket socket)
    {
        byte[] buffer = new byte[4096];
        return Encoding.UTF8.GetString(buffer, 0, socket.Receive(buffer));
    }
}
