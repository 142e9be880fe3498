namespace EgressAppliance.Snmp;

/// <summary>Version 2c: one datagram for all tries (RFC 3416 section 4.1), matched by request-id.</summary>
internal sealed class CommunityModel(Community community) : IMessageModel
{
    private readonly CommunityMessage _codec = new(community);
    private readonly RecentIds _earlier = new();
    private byte[] _datagram = [];
    private int _id;

    public SnmpPdu? Answer { get; private set; }

    public SnmpResult? Failure => null;

    public string SilenceHint => "wrong community, view or address";

    public SnmpOutcome SilenceOutcome => SnmpOutcome.Timeout;

    public void Begin(SnmpPdu request)
    {
        _id = request.RequestId;
        _datagram = _codec.Encode(request);
        Answer = null;
    }

    public byte[] Next() => _datagram;

    public Reception Take(ReadOnlySpan<byte> datagram)
    {
        SnmpDecodeStatus status = _codec.Decode(datagram, out SnmpPdu? pdu);
        if (status == SnmpDecodeStatus.WrongCommunity)
        {
            return Reception.Foreign;
        }

        if (status != SnmpDecodeStatus.Ok || pdu!.Type != PduType.Response)
        {
            return Reception.Malformed;
        }

        if (pdu.RequestId != _id)
        {
            return _earlier.Contains(pdu.RequestId) ? Reception.Late : Reception.Foreign;
        }

        Answer = pdu;
        return Reception.Answer;
    }

    public bool SeemsAnswer(ReadOnlySpan<byte> datagram) =>
        _codec.Decode(datagram, out SnmpPdu? pdu) == SnmpDecodeStatus.Ok && pdu!.Type == PduType.Response && pdu.RequestId == _id;

    public bool BeginProbe() => false;

    public void ProbeAnswered()
    {
    }

    public void End() => _earlier.Add(_id);

    public void Dispose()
    {
    }
}
