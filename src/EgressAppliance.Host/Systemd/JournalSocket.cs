using System.Net.Sockets;

namespace EgressAppliance.Host.Systemd;

/// <summary>
/// The journal's socket. A record is sent at once or not at all: whoever logs waits for nobody. What was not taken is counted, and told in a
/// record of its own as soon as records are taken again.
/// </summary>
public sealed class JournalSocket : IDisposable
{
    /// <summary>Where journald listens.</summary>
    public const string DefaultPath = "/run/systemd/journal/socket";

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
    private readonly UnixDomainSocketEndPoint _endPoint;
    private long _lost;
    private long _untold;

    /// <summary>Makes the sender. The receiver need not be there yet.</summary>
    public JournalSocket(string path = DefaultPath) => _endPoint = new UnixDomainSocketEndPoint(path);

    /// <summary>Records that were not taken, since start.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    /// <summary>Sends a record. Any thread.</summary>
    public void Send(JournalRecord record)
    {
        if (!TrySend(record))
        {
            Interlocked.Increment(ref _lost);
            Interlocked.Increment(ref _untold);
            return;
        }

        if (Interlocked.Exchange(ref _untold, 0) is var untold and > 0)
        {
            JournalRecord notice = new JournalRecord().Add("MESSAGE", $"{untold} records before this one were lost: the journal did not take them in time")
                .Add("PRIORITY", "4").Add("SYSLOG_IDENTIFIER", JournalLoggerProvider.Identifier).Add("EVENT_ID", "8101").AddValue("lost", untold);
            if (!TrySend(notice))
            {
                Interlocked.Add(ref _untold, untold);
            }
        }
    }

    private bool TrySend(JournalRecord record)
    {
        try
        {
            return _socket.SendTo(record.Bytes.Span, SocketFlags.None, _endPoint) == record.Bytes.Length;
        }
        catch (SocketException)
        {
            // Its queue is full, or it is being restarted.
            return false;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }
}
