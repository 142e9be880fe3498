using System.Formats.Asn1;
using System.Net;

namespace EgressAppliance.Snmp;

/// <summary>
/// PDUs and variable bindings to and from BER (RFC 3416 section 3, RFC 2578 section 7.1, RFC 3417 section 8). Knows nothing of
/// the message around the PDU, so every message version can use it.
/// </summary>
internal static class PduCodec
{
    private const byte IpAddressTag = 0x40;
    private const byte Counter32Tag = 0x41;
    private const byte Gauge32Tag = 0x42;
    private const byte TimeTicksTag = 0x43;
    private const byte OpaqueTag = 0x44;
    private const byte Counter64Tag = 0x46;
    private const byte NoSuchObjectTag = 0x80;
    private const byte NoSuchInstanceTag = 0x81;
    private const byte EndOfMibViewTag = 0x82;

    public static void Write(AsnWriter writer, SnmpPdu pdu)
    {
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, (int)pdu.Type & 0x1f, isConstructed: true)))
        {
            writer.WriteInteger(pdu.RequestId);
            writer.WriteInteger((int)pdu.ErrorStatus);
            writer.WriteInteger(pdu.ErrorIndex);
            using (writer.PushSequence())
            {
                foreach (VarBind binding in pdu.Bindings)
                {
                    Write(writer, binding);
                }
            }
        }
    }

    public static void Write(AsnWriter writer, VarBind binding)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(binding.Name.ToString());
            Write(writer, binding.Value);
        }
    }

    public static SnmpDecodeStatus Read(ref BerReader reader, out SnmpPdu? pdu)
    {
        pdu = null;
        SnmpDecodeStatus status = reader.Read(out byte tag, out ReadOnlySpan<byte> content);
        if (status != SnmpDecodeStatus.Ok)
        {
            return status;
        }

        PduType type = (PduType)tag;
        if (!Enum.IsDefined(type))
        {
            return SnmpDecodeStatus.UnexpectedTag;
        }

        BerReader inner = new(content);
        if ((status = inner.ReadInteger32(out int requestId)) != SnmpDecodeStatus.Ok ||
            (status = inner.ReadInteger32(out int errorStatus)) != SnmpDecodeStatus.Ok ||
            (status = inner.ReadInteger32(out int errorIndex)) != SnmpDecodeStatus.Ok ||
            (status = inner.Read(BerReader.SequenceTag, out ReadOnlySpan<byte> list)) != SnmpDecodeStatus.Ok)
        {
            return status;
        }

        if (!inner.IsEmpty)
        {
            return SnmpDecodeStatus.TrailingBytes;
        }

        List<VarBind> bindings = [];
        BerReader items = new(list);
        while (!items.IsEmpty)
        {
            if ((status = ReadBinding(ref items, out VarBind binding)) != SnmpDecodeStatus.Ok)
            {
                return status;
            }

            bindings.Add(binding);
        }

        pdu = new SnmpPdu { Type = type, RequestId = requestId, ErrorStatus = (SnmpErrorStatus)errorStatus, ErrorIndex = errorIndex, Bindings = bindings };
        return SnmpDecodeStatus.Ok;
    }

    private static SnmpDecodeStatus ReadBinding(ref BerReader items, out VarBind binding)
    {
        binding = default;
        SnmpDecodeStatus status = items.Read(BerReader.SequenceTag, out ReadOnlySpan<byte> pair);
        if (status != SnmpDecodeStatus.Ok)
        {
            return status;
        }

        BerReader reader = new(pair);
        if ((status = reader.Read(BerReader.ObjectIdentifierTag, out ReadOnlySpan<byte> name)) != SnmpDecodeStatus.Ok ||
            (status = BerReader.ParseObjectIdentifier(name, out ObjectIdentifier oid)) != SnmpDecodeStatus.Ok ||
            (status = reader.Read(out byte tag, out ReadOnlySpan<byte> content)) != SnmpDecodeStatus.Ok ||
            (status = ParseValue(tag, content, out SnmpValue value)) != SnmpDecodeStatus.Ok)
        {
            return status;
        }

        binding = new VarBind(oid, value);
        return reader.IsEmpty ? SnmpDecodeStatus.Ok : SnmpDecodeStatus.TrailingBytes;
    }

    private static SnmpDecodeStatus ParseValue(byte tag, ReadOnlySpan<byte> content, out SnmpValue value)
    {
        SnmpDecodeStatus status = SnmpDecodeStatus.Ok;
        ulong number = 0;
        value = default;
        switch (tag)
        {
            case BerReader.IntegerTag:
                status = BerReader.ParseInteger32(content, out int integer);
                value = SnmpValue.Integer32(integer);
                break;
            case BerReader.OctetStringTag:
                value = SnmpValue.OctetString(content);
                break;
            case BerReader.ObjectIdentifierTag:
                status = BerReader.ParseObjectIdentifier(content, out ObjectIdentifier oid);
                value = SnmpValue.ObjectId(oid);
                break;
            case OpaqueTag:
                value = SnmpValue.Opaque(content);
                break;
            case IpAddressTag when content.Length == 4:
                value = SnmpValue.IpAddress(content);
                break;
            case Counter32Tag:
                status = BerReader.ParseUnsigned(content, sizeof(uint), out number);
                value = SnmpValue.Counter32((uint)number);
                break;
            case Gauge32Tag:
                status = BerReader.ParseUnsigned(content, sizeof(uint), out number);
                value = SnmpValue.Gauge32((uint)number);
                break;
            case TimeTicksTag:
                status = BerReader.ParseUnsigned(content, sizeof(uint), out number);
                value = SnmpValue.TimeTicks((uint)number);
                break;
            case Counter64Tag:
                status = BerReader.ParseUnsigned(content, sizeof(ulong), out number);
                value = SnmpValue.Counter64(number);
                break;
            case BerReader.NullTag when content.IsEmpty:
                break;
            case NoSuchObjectTag when content.IsEmpty:
                value = SnmpValue.NoSuchObject;
                break;
            case NoSuchInstanceTag when content.IsEmpty:
                value = SnmpValue.NoSuchInstance;
                break;
            case EndOfMibViewTag when content.IsEmpty:
                value = SnmpValue.EndOfMibView;
                break;
            case IpAddressTag or BerReader.NullTag or NoSuchObjectTag or NoSuchInstanceTag or EndOfMibViewTag:
                return SnmpDecodeStatus.BadValue;
            default:
                return SnmpDecodeStatus.UnexpectedTag;
        }

        return status;
    }

    private static void Write(AsnWriter writer, SnmpValue value)
    {
        switch (value.Kind)
        {
            case SnmpValueKind.Integer32 when value.TryGetInteger(out int integer):
                writer.WriteInteger(integer);
                break;
            case SnmpValueKind.OctetString when value.TryGetBytes(out ReadOnlySpan<byte> bytes):
                writer.WriteOctetString(bytes);
                break;
            case SnmpValueKind.Opaque when value.TryGetBytes(out ReadOnlySpan<byte> bytes):
                writer.WriteOctetString(bytes, Tag(OpaqueTag));
                break;
            case SnmpValueKind.ObjectIdentifier when value.TryGetObjectId(out ObjectIdentifier oid):
                writer.WriteObjectIdentifier(oid.ToString());
                break;
            case SnmpValueKind.IpAddress when value.TryGetIpAddress(out IPAddress address):
                writer.WriteOctetString(address.GetAddressBytes(), Tag(IpAddressTag));
                break;
            case SnmpValueKind.Counter32 when value.TryGetUnsigned(out ulong number):
                writer.WriteInteger(number, Tag(Counter32Tag));
                break;
            case SnmpValueKind.Gauge32 when value.TryGetUnsigned(out ulong number):
                writer.WriteInteger(number, Tag(Gauge32Tag));
                break;
            case SnmpValueKind.TimeTicks when value.TryGetUnsigned(out ulong number):
                writer.WriteInteger(number, Tag(TimeTicksTag));
                break;
            case SnmpValueKind.Counter64 when value.TryGetUnsigned(out ulong number):
                writer.WriteInteger(number, Tag(Counter64Tag));
                break;
            case SnmpValueKind.NoSuchObject:
                writer.WriteNull(Tag(NoSuchObjectTag));
                break;
            case SnmpValueKind.NoSuchInstance:
                writer.WriteNull(Tag(NoSuchInstanceTag));
                break;
            case SnmpValueKind.EndOfMibView:
                writer.WriteNull(Tag(EndOfMibViewTag));
                break;
            default:
                writer.WriteNull();
                break;
        }
    }

    private static Asn1Tag Tag(byte octet) => new((TagClass)(octet & 0xc0), octet & 0x1f);
}
