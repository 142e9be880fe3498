namespace EgressAppliance.Flow;

/// <summary>Numbers of the information elements that are read, under their names in IANA's registry "IPFIX Information Elements". Those to 127 are also the field types of NetFlow version 9 (RFC 3954 section 8).</summary>
internal static class InformationElement
{
    public const ushort OctetDeltaCount = 1;
    public const ushort PacketDeltaCount = 2;
    public const ushort ProtocolIdentifier = 4;
    public const ushort SourceTransportPort = 7;
    public const ushort SourceIPv4Address = 8;
    public const ushort IngressInterface = 10;
    public const ushort DestinationTransportPort = 11;
    public const ushort DestinationIPv4Address = 12;
    public const ushort EgressInterface = 14;
    public const ushort IpNextHopIPv4Address = 15;
    public const ushort BgpNextHopIPv4Address = 18;
    public const ushort FlowEndSysUpTime = 21;
    public const ushort FlowStartSysUpTime = 22;
    public const ushort PostOctetDeltaCount = 23;
    public const ushort PostPacketDeltaCount = 24;
    public const ushort SourceIPv6Address = 27;
    public const ushort DestinationIPv6Address = 28;
    public const ushort SamplingInterval = 34;
    public const ushort SamplerId = 48;
    public const ushort SamplerRandomInterval = 50;
    public const ushort IpVersion = 60;
    public const ushort FlowDirection = 61;
    public const ushort IpNextHopIPv6Address = 62;
    public const ushort BgpNextHopIPv6Address = 63;
    public const ushort FlowStartSeconds = 150;
    public const ushort FlowEndSeconds = 151;
    public const ushort FlowStartMilliseconds = 152;
    public const ushort FlowEndMilliseconds = 153;
    public const ushort FlowStartMicroseconds = 154;
    public const ushort FlowEndMicroseconds = 155;
    public const ushort FlowStartNanoseconds = 156;
    public const ushort FlowEndNanoseconds = 157;
    public const ushort SystemInitTimeMilliseconds = 160;
    public const ushort SelectorId = 302;
    public const ushort SamplingPacketInterval = 305;
    public const ushort SamplingPacketSpace = 306;
    public const ushort SamplingSize = 309;
    public const ushort SamplingPopulation = 310;
}
