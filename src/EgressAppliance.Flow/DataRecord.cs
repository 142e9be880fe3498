using EgressAppliance.Net;

namespace EgressAppliance.Flow;

/// <summary>What the fields of one data record say (IANA, IPFIX Information Elements; those to 127 are also of version 9).</summary>
internal struct DataRecord
{
    private IpAddr _destination4, _destination6, _source4, _source6, _nextHop4, _nextHop6, _bgpNextHop4, _bgpNextHop6;
    private ulong? _bytes, _packets, _postBytes, _postPackets, _selector;
    private ulong _version, _protocol, _sourcePort, _destinationPort, _input, _output, _interval, _randomInterval, _packetInterval, _packetSpace, _size, _population;
    private uint? _startUptime, _endUptime;
    private long? _start, _end, _boot;
    private byte? _direction;

    /// <summary>The sampler, if the record names one.</summary>
    public readonly ulong? Selector => _selector;

    /// <summary>One in how many the record itself says; 0 if it does not.</summary>
    public readonly uint Interval
    {
        get
        {
            ulong interval = _interval != 0 ? _interval
                : _randomInterval != 0 ? _randomInterval
                : _packetInterval != 0 ? (ulong)Math.Round(((double)_packetInterval + _packetSpace) / _packetInterval)
                : _size != 0 ? (ulong)Math.Round((double)_population / _size)
                : 0;
            return (uint)Math.Min(interval, uint.MaxValue);
        }
    }

    /// <summary>Takes one field. Elements that are not used, and lengths that an element cannot have, change nothing.</summary>
    public void Take(ushort element, ReadOnlySpan<byte> value)
    {
        switch (element)
        {
            case InformationElement.SourceIPv4Address: Address(value, 4, ref _source4); return;
            case InformationElement.DestinationIPv4Address: Address(value, 4, ref _destination4); return;
            case InformationElement.IpNextHopIPv4Address: Address(value, 4, ref _nextHop4); return;
            case InformationElement.BgpNextHopIPv4Address: Address(value, 4, ref _bgpNextHop4); return;
            case InformationElement.SourceIPv6Address: Address(value, 16, ref _source6); return;
            case InformationElement.DestinationIPv6Address: Address(value, 16, ref _destination6); return;
            case InformationElement.IpNextHopIPv6Address: Address(value, 16, ref _nextHop6); return;
            case InformationElement.BgpNextHopIPv6Address: Address(value, 16, ref _bgpNextHop6); return;
            default: break;
        }

        // Numbers may be sent in fewer octets than their type has (RFC 7011 section 6.2).
        if (value.Length is 0 or > 8)
        {
            return;
        }

        ulong number = 0;
        foreach (byte octet in value)
        {
            number = number << 8 | octet;
        }

        switch (element)
        {
            case InformationElement.OctetDeltaCount: _bytes ??= number; break;
            case InformationElement.PacketDeltaCount: _packets ??= number; break;
            case InformationElement.ProtocolIdentifier: _protocol = number; break;
            case InformationElement.SourceTransportPort: _sourcePort = number; break;
            case InformationElement.IngressInterface: _input = number; break;
            case InformationElement.DestinationTransportPort: _destinationPort = number; break;
            case InformationElement.EgressInterface: _output = number; break;
            case InformationElement.FlowEndSysUpTime: _endUptime = (uint)number; break;
            case InformationElement.FlowStartSysUpTime: _startUptime = (uint)number; break;
            case InformationElement.PostOctetDeltaCount: _postBytes = number; break;
            case InformationElement.PostPacketDeltaCount: _postPackets = number; break;
            case InformationElement.SamplingInterval: _interval = number; break;
            case InformationElement.SamplerId or InformationElement.SelectorId: _selector = number; break;
            case InformationElement.SamplerRandomInterval: _randomInterval = number; break;
            case InformationElement.IpVersion: _version = number; break;
            case InformationElement.FlowDirection: _direction = (byte)number; break;
            case InformationElement.FlowStartSeconds: _start = (long)(uint)number * 1000; break;
            case InformationElement.FlowEndSeconds: _end = (long)(uint)number * 1000; break;
            case InformationElement.FlowStartMilliseconds: _start = (long)number; break;
            case InformationElement.FlowEndMilliseconds: _end = (long)number; break;
            case InformationElement.FlowStartMicroseconds or InformationElement.FlowStartNanoseconds: _start = FromNtp(number); break;
            case InformationElement.FlowEndMicroseconds or InformationElement.FlowEndNanoseconds: _end = FromNtp(number); break;
            case InformationElement.SystemInitTimeMilliseconds: _boot = (long)number; break;
            case InformationElement.SamplingPacketInterval: _packetInterval = number; break;
            case InformationElement.SamplingPacketSpace: _packetSpace = number; break;
            case InformationElement.SamplingSize: _size = number; break;
            case InformationElement.SamplingPopulation: _population = number; break;
            default: break;
        }
    }

    /// <summary>The flow; false if it has no destination address.</summary>
    /// <param name="uptime">Uptime of the header, or null where the protocol has none.</param>
    /// <param name="bootMilliseconds">When the exporter began, or null.</param>
    /// <param name="record">Protocol, exporter, domain and sampling are the caller's.</param>
    public readonly bool TryBuild(uint? uptime, long? bootMilliseconds, out FlowRecord record)
    {
        // A template can have places for both families, of which one is zero.
        bool v6 = _version == 6 || (_version != 4 && IsNothing(_destination4) && !IsNothing(_destination6)) || _destination4.IsDefault;
        long? boot = _boot ?? bootMilliseconds;
        record = new FlowRecord
        {
            Destination = v6 ? _destination6 : _destination4,
            Source = v6 ? _source6 : _source4,
            IpProtocol = (byte)_protocol,
            SourcePort = (ushort)_sourcePort,
            DestinationPort = (ushort)_destinationPort,
            Bytes = _bytes ?? _postBytes ?? 0,
            Packets = _packets ?? _postPackets ?? 0,
            InputInterface = (uint)Math.Min(_input, uint.MaxValue),
            OutputInterface = (uint)Math.Min(_output, uint.MaxValue),
            NextHop = !IsNothing(_nextHop4) ? _nextHop4 : !IsNothing(_nextHop6) ? _nextHop6 : default,
            BgpNextHop = !IsNothing(_bgpNextHop4) ? _bgpNextHop4 : !IsNothing(_bgpNextHop6) ? _bgpNextHop6 : default,
            StartMilliseconds = _start ?? FromUptime(boot, uptime, _startUptime),
            EndMilliseconds = _end ?? FromUptime(boot, uptime, _endUptime),
            Direction = _direction,
        };
        return !record.Destination.IsDefault;
    }

    private static long? FromUptime(long? boot, uint? uptime, uint? at) =>
        boot is null || at is null ? null : uptime is { } u ? NetFlow5Decoder.AbsoluteTime(boot.Value, u, at.Value) : unchecked(boot.Value + at.Value);

    /// <summary>Seconds since 1900 and a binary fraction (RFC 7011 sections 6.1.9 and 6.1.10).</summary>
    private static long FromNtp(ulong value) => ((long)(value >> 32) - 2_208_988_800L) * 1000 + (long)((value & 0xFFFF_FFFF) * 1000 >> 32);

    private static bool IsNothing(IpAddr address) => address.IsDefault || (address.High == 0 && address.Low == 0);

    private static void Address(ReadOnlySpan<byte> value, int length, ref IpAddr address)
    {
        // Where a header is within another, a template names the outer one first (RFC 7011 section 8): the one by which the router forwards.
        if (value.Length == length && address.IsDefault)
        {
            address = IpAddr.FromBytes(value);
        }
    }
}
