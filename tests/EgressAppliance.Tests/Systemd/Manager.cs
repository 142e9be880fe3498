using System.Net.Sockets;
using System.Text;
using EgressAppliance.Host.Systemd;

namespace EgressAppliance.Tests.Systemd;

/// <summary>A service manager that only listens.</summary>
internal sealed class Manager : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly string _name = "ea-" + Guid.NewGuid().ToString("N");

    public Manager() => _socket.Bind(new UnixDomainSocketEndPoint('\0' + _name));

    /// <summary>A notifier of this manager. Sets variables of the process: no other test may run meanwhile.</summary>
    public SystemdNotifier Notifier(string? watchdogMicroseconds = null, string? watchdogProcess = null)
    {
        (string Name, string? Value)[] variables =
            [("NOTIFY_SOCKET", '@' + _name), ("WATCHDOG_USEC", watchdogMicroseconds), ("WATCHDOG_PID", watchdogProcess)];
        string?[] before = [.. variables.Select(v => Environment.GetEnvironmentVariable(v.Name))];
        Array.ForEach(variables, v => Environment.SetEnvironmentVariable(v.Name, v.Value));
        try
        {
            return new SystemdNotifier();
        }
        finally
        {
            for (int i = 0; i < before.Length; i++)
            {
                Environment.SetEnvironmentVariable(variables[i].Name, before[i]);
            }
        }
    }

    /// <summary>All messages that have come since the last call.</summary>
    public IReadOnlyList<string> Received()
    {
        List<string> messages = [];
        byte[] buffer = new byte[4096];
        while (_socket.Poll(0, SelectMode.SelectRead))
        {
            messages.Add(Encoding.UTF8.GetString(buffer, 0, _socket.Receive(buffer)));
        }

        return messages;
    }

    public void Dispose() => _socket.Dispose();
}
