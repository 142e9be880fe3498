using System.Net.Sockets;
using System.Text;

namespace EgressAppliance.Host.Systemd;

/// <summary>
/// Tells systemd how the service is: one datagram to <c>$NOTIFY_SOCKET</c> (sd_notify(3)). Does nothing where there is no systemd.
/// </summary>
public sealed class SystemdNotifier : IDisposable
{
    private readonly Socket? _socket;
    private readonly UnixDomainSocketEndPoint? _endPoint;

    /// <summary>Reads the environment.</summary>
    public SystemdNotifier()
    {
        string? path = Environment.GetEnvironmentVariable("NOTIFY_SOCKET");
        if (!string.IsNullOrEmpty(path))
        {
            // '@' stands for the abstract namespace, whose names begin with a zero byte.
            _endPoint = new UnixDomainSocketEndPoint(path[0] == '@' ? '\0' + path[1..] : path);
            _socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified)
            {
                // A manager that does not read must not hold up the control loop.
                Blocking = false,
            };
        }
    }

    /// <summary>The service is up.</summary>
    public void Ready() => Send("READY=1");

    /// <summary>The control loop made a cycle; <paramref name="status"/> is what <c>systemctl status</c> shows.</summary>
    public void Alive(string status) => Send($"WATCHDOG=1\nSTATUS={status.ReplaceLineEndings(" ")}");

    /// <summary>The service is stopping.</summary>
    public void Stopping() => Send("STOPPING=1");

    private void Send(string message)
    {
        if (_socket is null)
        {
            return;
        }

        try
        {
            _socket.SendTo(Encoding.UTF8.GetBytes(message), _endPoint!);
        }
        catch (SocketException)
        {
            // The manager is gone or busy; it will judge by its watchdog. Steering goes on.
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket?.Dispose();
}
