using System.Globalization;
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
            WatchdogTimeout = ReadWatchdog();
        }
    }

    /// <summary>Somebody listens.</summary>
    public bool IsEnabled => _socket is not null;

    /// <summary>The service is killed when it does not say within this time that it is alive (<c>WatchdogSec=</c>); null for no watchdog.</summary>
    public TimeSpan? WatchdogTimeout { get; }

    /// <summary>The service is up.</summary>
    public void Ready() => Send("READY=1");

    /// <summary>All parts live; <paramref name="status"/> is what <c>systemctl status</c> shows.</summary>
    public void Alive(string status) => Send("WATCHDOG=1\nSTATUS=" + OneLine(status));

    /// <summary>What <c>systemctl status</c> shows, without saying that the service is alive.</summary>
    public void Status(string status) => Send("STATUS=" + OneLine(status));

    /// <summary>The service is stopping.</summary>
    public void Stopping() => Send("STOPPING=1");

    /// <inheritdoc/>
    public void Dispose() => _socket?.Dispose();

    /// <summary><c>$WATCHDOG_USEC</c>, if it is meant for this process (sd_watchdog_enabled(3)).</summary>
    private static TimeSpan? ReadWatchdog()
    {
        string? process = Environment.GetEnvironmentVariable("WATCHDOG_PID");
        bool ours = string.IsNullOrEmpty(process) || process == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        return ours && long.TryParse(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out long microseconds)
            && microseconds is > 0 and < int.MaxValue * 1000L
            ? TimeSpan.FromMicroseconds(microseconds) : null;
    }

    /// <summary>A line is a variable of its own in the message.</summary>
    private static string OneLine(string text) => text.ReplaceLineEndings(" ");

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
        catch (ObjectDisposedException)
        {
            // The appliance has stopped.
        }
    }
}
