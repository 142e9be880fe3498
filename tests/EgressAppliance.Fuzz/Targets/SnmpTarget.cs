using System.Net;
using EgressAppliance.Fuzz.Mutation;
using EgressAppliance.Fuzz.Running;
using EgressAppliance.Snmp;

namespace EgressAppliance.Fuzz.Targets;

/// <summary>
/// Input: an octet that says what follows. A whole message of version 2c; or the inside of a scoped PDU, which is put into a message with the
/// digest and cipher of the user's keys, so that what is wrong reaches the decoders behind them; or changes to a good message of version 3, after which its
/// digest is wrong.
/// </summary>
public sealed class SnmpTarget : IFuzzTarget
{
    private const int KindMask = 3;
    private const int Community = 0;
    private const int Sealed = 1;
    private const int Changed = 2;
    private const int RequestId = 4711;
    private const int EditOctets = 3;

    private static readonly EngineId Engine = EngineId.TryParse("0x80000000010203", out EngineId engine) ? engine : default;

    // By the two bits above the kind.
    private static readonly UsmUser[] Users =
    [
        new UsmUser("plain") { EngineId = Engine },
        new UsmUser("signed", AuthenticationProtocol.HmacSha256, "authpass123") { EngineId = Engine },
        new UsmUser("edge", AuthenticationProtocol.HmacSha1, "authpass123", PrivacyProtocol.Aes256, "privpass123") { EngineId = Engine },
        new UsmUser("old", AuthenticationProtocol.HmacSha224, "authpass123", PrivacyProtocol.Aes128, "privpass123"),
    ];

    private static readonly LocalizedKeys[] Keys = [.. Users.Select(user => user.Localize(Engine))];
    private static readonly CommunityMessage Codec = new(new Community("test"));
    private static readonly SnmpPdu[] Pdus = [.. MakePdus()];

    public string Name => "snmp";

    public string Description => "answers of versions 2c and 3, behind a good digest too: a typed outcome, and nothing that is not authentic is believed";

    public int Weight => 2;

    public void Make(InputBuffer input, Mutator mutator)
    {
        FuzzRandom random = mutator.Random;
        SnmpPdu pdu = random.Pick(Pdus);
        int user = random.Below(Users.Length) << 2;
        switch (random.Below(4))
        {
            case 0:
                input.Append(Community);
                input.Append(Codec.Encode(pdu));
                mutator.Octets(input, 1);
                break;
            case 1:
                input.Append((byte)(Changed | user));
                for (int i = random.Between(1, 4); i > 0; i--)
                {
                    input.Append([random.Octet(), random.Octet(), (byte)(1 << random.Below(8))]);
                }

                break;
            default:
                input.Append((byte)(Sealed | user));
                input.Append(Content(pdu));
                mutator.Octets(input, 1);
                break;
        }
    }

    public FuzzOutcome Fuzz(ReadOnlySpan<byte> input)
    {
        int kind = input.IsEmpty ? Community : input[0] & KindMask;
        int user = input.IsEmpty ? 0 : (input[0] >> 2) & 3;
        ReadOnlySpan<byte> rest = input.IsEmpty ? input : input[1..];
        return kind switch
        {
            Sealed => FuzzSealed(Users[user], Keys[user], rest),
            Changed => FuzzChanged(Users[user], Keys[user], rest),
            _ => FuzzCommunity(rest),
        };
    }

    private static FuzzOutcome FuzzCommunity(ReadOnlySpan<byte> datagram)
    {
        SnmpDecodeStatus status = Codec.Decode(datagram, out SnmpPdu? pdu);
        Check.That(status == SnmpDecodeStatus.Ok == pdu is not null, $"{status} with {pdu}");
        return new("2c " + (pdu is null ? "refused" : "decoded"), pdu is null ? Digest.Of(status.ToString()) : Sound(pdu, datagram.Length));
    }

    private static FuzzOutcome FuzzSealed(UsmUser user, LocalizedKeys keys, ReadOnlySpan<byte> content)
    {
        using UsmModel model = Ask(user, keys, out UsmHeader answer);
        byte[] plain = [0x30, 0x84, (byte)(content.Length >> 24), (byte)(content.Length >> 16), (byte)(content.Length >> 8), (byte)content.Length, .. content];
        Reception reception = model.Take(UsmDatagram.Seal(answer, plain, keys, 99));
        Check.That(reception != Reception.NotAuthentic || user.Level == SecurityLevel.NoAuthNoPriv || IsReport(plain), $"its own digest is refused: {reception}");
        Check.That(reception == Reception.Answer == model.Answer is not null && reception == Reception.Failed == model.Failure is not null, $"{reception} without its result");
        Check.That(model.Failure is null || (model.Failure.Message.Length > 0 && !model.Failure.Message.Contains("pass123", StringComparison.Ordinal)), $"bad message: {model.Failure?.Message}");
        Digest digest = default;
        digest.Add(reception.ToString());
        digest.Add(model.Failure?.Message ?? "");
        digest.Add(model.Answer is { } pdu ? Sound(pdu, content.Length).ToString() : "");
        return new("3 sealed " + reception, digest.Value);
    }

    private static FuzzOutcome FuzzChanged(UsmUser user, LocalizedKeys keys, ReadOnlySpan<byte> edits)
    {
        using UsmModel model = Ask(user, keys, out UsmHeader answer);
        byte[] good = UsmDatagram.Encode(answer, new ScopedPdu(Engine, "", Pdus[0]), keys, 99);
        byte[] changed = [.. good];
        for (; edits.Length >= EditOctets; edits = edits[EditOctets..])
        {
            changed[((edits[0] << 8) | edits[1]) % changed.Length] ^= edits[2];
        }

        Reception reception = model.Take(changed);
        if (user.Level != SecurityLevel.NoAuthNoPriv && !changed.AsSpan().SequenceEqual(good))
        {
            // With a digest of 96 bits and more a forgery that passes would be a wonder. One that claims to have none may end the request.
            Check.That(reception is not (Reception.Answer or Reception.Again), $"a changed message is believed: {reception}");
            Check.That(model.Answer is null, $"a changed message left an answer");
            Check.That(reception == Reception.Failed || model.Take(good) == Reception.Answer, $"after {reception} the true answer is not taken");
        }

        return new("3 changed " + reception, Digest.Of($"{reception} {model.Failure?.Message}"));
    }

    /// <summary>A model that waits for an answer, and the header that the answer has to have.</summary>
    private static UsmModel Ask(UsmUser user, LocalizedKeys keys, out UsmHeader answer)
    {
        ulong number = 1000;
        UsmModel model = new(user, new IPEndPoint(IPAddress.Loopback, 161), TimeProvider.System, () => number++);
        model.Begin(SnmpPdu.Request(PduType.Get, RequestId, []));
        UsmHeader asked = Sent(model);
        if (user.EngineId is null)
        {
            SnmpPdu report = SnmpPdu.Response(0, [new VarBind(ObjectIdentifier.Parse("1.3.6.1.6.3.15.1.1.4.0"), SnmpValue.Counter32(1))]) with { Type = PduType.Report };
            Reception found = model.Take(UsmDatagram.Encode(new UsmHeader { MessageId = asked.MessageId, EngineId = Engine }, new ScopedPdu(Engine, "", report)));
            Check.That(found == Reception.Again, $"discovery ended with {found}");
            asked = Sent(model);
        }

        Check.That(asked.Level == user.Level && asked.EngineId == Engine && keys.Authentication == user.Authentication, $"asked as {asked}");
        answer = asked with { Reportable = false, Boots = 3, Time = 1000 };
        return model;
    }

    private static UsmHeader Sent(UsmModel model) =>
        UsmDatagram.TryRead(model.Next(), out UsmDatagram message) == SnmpDecodeStatus.Ok ? message.Header : throw new FuzzViolationException("what is sent cannot be read");

    private static bool IsReport(byte[] plain) => plain.AsSpan().Contains((byte)PduType.Report);

    /// <summary>What was decoded is small, can be shown, and is written and read again equal.</summary>
    private static ulong Sound(SnmpPdu pdu, int octets)
    {
        Check.That(pdu.Bindings.Count <= octets / 6, $"{pdu.Bindings.Count} bindings of {octets} octets");
        string shown = string.Join('\n', pdu.Bindings);
        Check.That(Codec.Decode(Codec.Encode(pdu), out SnmpPdu? again) == SnmpDecodeStatus.Ok, $"cannot be written and read: {shown}");
        Check.That(again!.RequestId == pdu.RequestId && again.Type == pdu.Type && again.Bindings.SequenceEqual(pdu.Bindings), $"is not the same again: {shown}");
        return Digest.Of(shown);
    }

    /// <summary>The inside of a scoped PDU's SEQUENCE.</summary>
    private static ReadOnlySpan<byte> Content(SnmpPdu pdu)
    {
        byte[] message = UsmDatagram.Encode(new UsmHeader { MessageId = 1 }, new ScopedPdu(Engine, "", pdu));
        int at = message.AsSpan().LastIndexOf(Engine.Octets);
        return message.AsSpan(at - 2);
    }

    private static IEnumerable<SnmpPdu> MakePdus()
    {
        ObjectIdentifier name = ObjectIdentifier.Parse("1.3.6.1.2.1.31.1.1.1.1.7");
        SnmpValue[] values =
        [
            SnmpValue.OctetString("ge-0/0/7"), SnmpValue.Counter64(ulong.MaxValue), SnmpValue.Counter32(uint.MaxValue), SnmpValue.Gauge32(400_000), SnmpValue.TimeTicks(1),
            SnmpValue.Integer32(-1), SnmpValue.ObjectId(name), SnmpValue.IpAddress(IPAddress.Loopback), SnmpValue.Opaque([1, 2, 3]), SnmpValue.Null,
            SnmpValue.NoSuchObject, SnmpValue.NoSuchInstance, SnmpValue.EndOfMibView,
        ];
        yield return SnmpPdu.Response(RequestId, [.. values.Select(value => new VarBind(name, value))]);
        yield return SnmpPdu.Response(RequestId, [new VarBind(name, SnmpValue.OctetString(new byte[300]))]);
        yield return SnmpPdu.Response(RequestId, [], SnmpErrorStatus.TooBig);
        yield return SnmpPdu.Request(PduType.Get, RequestId, [name]);
        yield return SnmpPdu.Bulk(RequestId, 0, 20, [name]);
        foreach (string report in (string[])["1.3.6.1.6.3.15.1.1.1.0", "1.3.6.1.6.3.15.1.1.2.0", "1.3.6.1.6.3.15.1.1.3.0", "1.3.6.1.6.3.15.1.1.4.0", "1.3.6.1.6.3.15.1.1.5.0",
            "1.3.6.1.6.3.15.1.1.6.0", "1.3.6.1.6.3.12.1.5.0", "1.3.6.1.6.3.11.2.1.3.0"])
        {
            yield return SnmpPdu.Response(0, [new VarBind(ObjectIdentifier.Parse(report), SnmpValue.Counter32(1))]) with { Type = PduType.Report };
        }
    }
}
