using System.Net;
using System.Net.Sockets;
using EgressAppliance.Snmp;

namespace EgressAppliance.Tests.Snmp;

/// <summary>A UDP socket that a test plays by hand: sees each request, sends whatever it likes.</summary>
internal sealed class ScriptedResponder : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[65536];

    public ScriptedResponder(string community = "test")
    {
        Codec = new CommunityMessage(new Community(community));
        _socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
    }

    public CommunityMessage Codec { get; }

    public IPEndPoint EndPoint => (IPEndPoint)_socket.LocalEndPoint!;

    public EndPoint Asker { get; private set; } = new IPEndPoint(IPAddress.Any, 0);

    public async Task<SnmpPdu> ReceiveAsync()
    {
        using CancellationTokenSource limit = new(Patience);
        SocketReceiveFromResult received = await _socket.ReceiveFromAsync(_buffer, SocketFlags.None, Asker, limit.Token);
        Asker = received.RemoteEndPoint;
        Assert.Equal(SnmpDecodeStatus.Ok, Codec.Decode(_buffer.AsSpan(0, received.ReceivedBytes), out SnmpPdu? pdu));
        return pdu!;
    }

    public void Send(SnmpPdu pdu, EndPoint? to = null) => Send(Codec.Encode(pdu), to);

    public void Send(byte[] datagram, EndPoint? to = null) => _socket.SendTo(datagram, to ?? Asker);

    /// <summary>The answer with one value for each variable asked for.</summary>
    public static SnmpPdu Answer(SnmpPdu request, SnmpValue value) =>
        SnmpPdu.Response(request.RequestId, [.. request.Bindings.Select(binding => binding with { Value = value })]);

    public void Dispose() => _socket.Dispose();
}
