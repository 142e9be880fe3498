using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using EgressAppliance.Host.Systemd;
using Microsoft.Extensions.Logging;

namespace EgressAppliance.Tests.Systemd;

public sealed partial class JournalLoggerTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"ea-{Guid.NewGuid():N}");
    private readonly Socket _journal = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly JournalSocket _socket;
    private readonly LoggerFactory _loggers;

    public JournalLoggerTests()
    {
        _socket = new JournalSocket(_path);
        _loggers = new LoggerFactory([new JournalLoggerProvider(_socket)]);
    }

    public void Dispose()
    {
        _loggers.Dispose();
        _socket.Dispose();
        _journal.Dispose();
        File.Delete(_path);
    }

    [Fact]
    public void Log_message_with_its_values()
    {
        Listen();
        Moved(_loggers.CreateLogger("EgressAppliance.Steering"), "203.0.113.0/24", "isp-b");
        Assert.Equal(
            [
                ("MESSAGE", "moved 203.0.113.0/24 by isp-b"), ("PRIORITY", "4"), ("SYSLOG_IDENTIFIER", "egress-appliance"), ("EVENT_ID", "42"),
                ("CATEGORY", "EgressAppliance.Steering"), ("EGRESS_PREFIX", "203.0.113.0/24"), ("EGRESS_NEXT_LINK", "isp-b"),
            ],
            Receive());
    }

    [Theory]
    [InlineData(LogLevel.Critical, "2")]
    [InlineData(LogLevel.Error, "3")]
    [InlineData(LogLevel.Warning, "4")]
    [InlineData(LogLevel.Information, "6")]
    [InlineData(LogLevel.Debug, "7")]
    public void Log_level_is_the_priority(LogLevel level, string priority)
    {
        Listen();
        Write(level, "text");
        Assert.Contains(("PRIORITY", priority), Receive());
    }

    [Fact]
    public void Log_values_of_scopes_outermost_first()
    {
        Listen();
        ILogger logger = _loggers.CreateLogger("test");
        using (logger.BeginScope(new Dictionary<string, object?> { ["router"] = "edge1", ["_-"] = "no name" }))
        using (logger.BeginScope("by hand"))
        {
            Write(LogLevel.Information, "text");
        }

        Assert.Equal([("EGRESS_ROUTER", "edge1"), ("EGRESS_SCOPE", "by hand")], Receive()[5..]);
    }

    [Fact]
    public void Log_exception_of_several_lines_stays_one_record()
    {
        Listen();
        InvalidOperationException exception = new("first\nPRIORITY=0\nsecond = third");
        _loggers.CreateLogger("test").Log(LogLevel.Error, new EventId(7), "failed", exception, (state, _) => state);
        List<(string Name, string Value)> fields = Receive();
        Assert.Equal(("MESSAGE", "failed\n" + exception), fields[0]);
        Assert.Equal(["3"], fields.Where(f => f.Name == "PRIORITY").Select(f => f.Value));
        Assert.Contains(("EXCEPTION", "System.InvalidOperationException"), fields);
    }

    [Fact]
    public void Log_what_is_too_long_is_cut()
    {
        Listen();
        List<KeyValuePair<string, object?>> values = [.. Enumerable.Range(0, 100).Select(i => new KeyValuePair<string, object?>("key" + i, new string('€', 5000)))];
        _loggers.CreateLogger("test").Log(LogLevel.Information, default, values, null, (_, _) => new string('x', 1_000_000));
        List<(string Name, string Value)> fields = Receive();
        Assert.Equal(("MESSAGE", new string('x', JournalRecord.LongestValue)), fields[0]);
        Assert.Equal(0, _socket.Lost);
        Assert.InRange(fields.Count, 6, 10);
    }

    [Fact]
    public void Log_journal_that_takes_nothing_holds_nobody_up_and_loss_is_told()
    {
        Listen();
        for (int i = 0; i < 10_000; i++)
        {
            Write(LogLevel.Information, "text");
        }

        long lost = _socket.Lost;
        Assert.InRange(lost, 1, 9_999);
        for (long taken = 0; taken < 10_000 - lost; taken++)
        {
            Assert.Contains(("MESSAGE", "text"), Receive());
        }

        Write(LogLevel.Information, "after");
        Assert.Contains(("MESSAGE", "after"), Receive());
        List<(string Name, string Value)> notice = Receive();
        Assert.Equal(("MESSAGE", $"{lost} records before this one were lost: the journal did not take them in time"), notice[0]);
        Assert.Contains(("EGRESS_LOST", $"{lost}"), notice);
        Write(LogLevel.Information, "again");
        Assert.Contains(("MESSAGE", "again"), Receive());
        Assert.False(_journal.Poll(0, SelectMode.SelectRead));
        Assert.Equal(lost, _socket.Lost);
    }

    [Fact]
    public void Log_without_a_journal_is_counted()
    {
        Write(LogLevel.Error, "nobody");
        Assert.Equal(1, _socket.Lost);
        Listen();
        Write(LogLevel.Error, "somebody");
        Assert.Contains(("MESSAGE", "somebody"), Receive());
        Assert.Contains(("EGRESS_LOST", "1"), Receive());
    }

    [LoggerMessage(42, LogLevel.Warning, "moved {prefix} by {nextLink}")]
    private static partial void Moved(ILogger logger, string prefix, string nextLink);

    private void Listen()
    {
        _journal.Bind(new UnixDomainSocketEndPoint(_path));
        _journal.ReceiveTimeout = 30_000;
    }

    private void Write(LogLevel level, string text) => _loggers.CreateLogger("test").Log(level, default, text, null, (state, _) => state);

    /// <summary>The fields of the next record, read as the protocol says.</summary>
    private List<(string Name, string Value)> Receive()
    {
        byte[] buffer = new byte[256 * 1024];
        ReadOnlySpan<byte> rest = buffer.AsSpan(0, _journal.Receive(buffer));
        List<(string, string)> fields = [];
        while (!rest.IsEmpty)
        {
            int line = rest.IndexOf((byte)'\n');
            int sign = rest[..line].IndexOf((byte)'=');
            if (sign >= 0)
            {
                fields.Add((Encoding.UTF8.GetString(rest[..sign]), Encoding.UTF8.GetString(rest[(sign + 1)..line])));
                rest = rest[(line + 1)..];
                continue;
            }

            int start = line + 1 + sizeof(long);
            int length = (int)BinaryPrimitives.ReadInt64LittleEndian(rest[(line + 1)..]);
            fields.Add((Encoding.UTF8.GetString(rest[..line]), Encoding.UTF8.GetString(rest.Slice(start, length))));
            Assert.Equal((byte)'\n', rest[start + length]);
            rest = rest[(start + length + 1)..];
        }

        return fields;
    }
}
