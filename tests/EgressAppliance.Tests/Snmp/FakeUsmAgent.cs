using System.Net;
using System.Net.Sockets;
using EgressAppliance.Snmp;

namespace EgressAppliance.Tests.Snmp;

/// <summary>An authoritative engine of RFC 3414 for tests: does what section 3.2 says, with a clock and an ID that a test sets as it likes.</summary>
internal sealed class FakeUsmAgent : IAsyncDisposable
{
    private const string Stats = "1.3.6.1.6.3.15.1.1.";

    private readonly Socket _socket;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private int _unanswered;

    public FakeUsmAgent(UsmUser? user, IPAddress? address = null)
    {
        User = user;
        _socket = new Socket((address ?? IPAddress.Loopback).AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        _socket.Bind(new IPEndPoint(address ?? IPAddress.Loopback, 0));
        Table.Set(ObjectIdentifier.Parse("1.3.6.1.2.1.1.3.0"), SnmpValue.TimeTicks(42));
        _loop = Task.Run(ServeAsync);
    }

    public IPEndPoint EndPoint => (IPEndPoint)_socket.LocalEndPoint!;

    public UsmUser? User { get; set; }

    public MibTable Table { get; } = new();

    public EngineId Engine { get; set; } = Id("0x8000000001");

    public int Boots { get; set; } = 5;

    public int Time { get; set; } = 10_000;

    /// <summary>Says "not in time window" to everything that is authentic.</summary>
    public bool NeverInTime { get; set; }

    /// <summary>Sees each answer before it goes out, and gives what goes out in its place.</summary>
    public Func<UsmHeader, byte[], IEnumerable<byte[]>> Send { get; set; } = (_, answer) => [answer];

    /// <summary>Messages that get no answer.</summary>
    public int Unanswered => Volatile.Read(ref _unanswered);

    /// <summary>The headers of all messages that came.</summary>
    public List<UsmHeader> Received { get; } = [];

    public static EngineId Id(string text) => EngineId.TryParse(text, out EngineId engine) ? engine : throw new FormatException(text);

    public UsmHeader Header(UsmHeader request, SecurityLevel level) =>
        new() { MessageId = request.MessageId, Level = level, EngineId = Engine, Boots = Boots, Time = Time, UserName = request.UserName };

    public byte[] Report(UsmHeader request, uint which, SecurityLevel level = SecurityLevel.NoAuthNoPriv)
    {
        SnmpPdu pdu = SnmpPdu.Response(0, [new VarBind(ObjectIdentifier.Parse(Stats + which + ".0"), SnmpValue.Counter32(1))]) with { Type = PduType.Report };
        using LocalizedKeys? keys = User?.Localize(Engine);
        return UsmDatagram.Encode(Header(request, level), new ScopedPdu(Engine, "", pdu), keys, 7);
    }

    public byte[]? Answer(ReadOnlySpan<byte> datagram)
    {
        if (UsmDatagram.TryRead(datagram, out UsmDatagram message) != SnmpDecodeStatus.Ok)
        {
            return null;
        }

        UsmHeader header = message.Header;
        Received.Add(header);
        if (header.EngineId != Engine)
        {
            return Report(header, 4);
        }

        if (header.UserName != User?.Name)
        {
            return Report(header, 3);
        }

        if (header.Level > User.Level)
        {
            return Report(header, 1);
        }

        using LocalizedKeys keys = User.Localize(Engine);
        if (header.Level != SecurityLevel.NoAuthNoPriv)
        {
            if (!message.IsAuthentic(keys))
            {
                return Report(header, 5);
            }

            if (NeverInTime || header.Boots != Boots || Math.Abs((long)header.Time - Time) > 150)
            {
                return Report(header, 2, SecurityLevel.AuthNoPriv);
            }
        }

        // As net-snmp does, not a word on what cannot be deciphered or is for an unknown context.
        if (message.Open(keys, out ScopedPdu? scoped) != SnmpDecodeStatus.Ok || scoped!.ContextName != User.ContextName || SnmpAgent.Respond(scoped.Pdu, Table) is not { } response)
        {
            return null;
        }

        return UsmDatagram.Encode(Header(header, header.Level), scoped with { Pdu = response }, keys, (ulong)Received.Count);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _socket.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        byte[] buffer = new byte[65536];
        EndPoint any = new IPEndPoint(_socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        try
        {
            while (true)
            {
                SocketReceiveFromResult received = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, any, _stop.Token);
                if (Answer(buffer.AsSpan(0, received.ReceivedBytes)) is { } answer)
                {
                    foreach (byte[] datagram in Send(Received[^1], answer))
                    {
                        await _socket.SendToAsync(datagram, SocketFlags.None, received.RemoteEndPoint, _stop.Token);
                    }
                }
                else
                {
                    Interlocked.Increment(ref _unanswered);
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The way it ends.
        }
    }
}
