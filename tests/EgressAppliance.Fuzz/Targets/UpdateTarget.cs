using EgressAppliance.Bgp.Wire;
using EgressAppliance.Fuzz.Checks;
using EgressAppliance.Fuzz.Mutation;
using EgressAppliance.Fuzz.Running;

namespace EgressAppliance.Fuzz.Targets;

/// <summary>Input: an options octet, then the body of an UPDATE.</summary>
public sealed class UpdateTarget : IFuzzTarget
{
    private readonly LooseUpdate _loose = new();
    private readonly LooseUpdate _donor = new();
    private readonly UpdateMessage _message = new();
    private readonly UpdateMessage _scratch = new();

    public string Name => "update";

    public string Description => "the body of an UPDATE under any codec options: typed verdict, sound routes, decoded twice alike, written and read again equal";

    public int Weight => 12;

    public void Make(InputBuffer input, Mutator mutator)
    {
        FuzzRandom random = mutator.Random;
        CorpusMessage message = random.Pick(mutator.Corpus.Updates);
        // As a rule the session the message is from: with other options most octets are read as something else and soon end in an error.
        byte octet = (byte)(message.Options | (random.OneIn(2) ? 8 : 0) | (random.OneIn(4) ? 16 : 0));
        input.Append(random.OneIn(4) ? random.Octet() : octet);
        if (random.OneIn(4))
        {
            input.Append(message.Body);
            if (!random.OneIn(8))
            {
                mutator.Octets(input, 1);
            }

            return;
        }

        _loose.Parse(message.Body);
        _donor.Parse(random.Pick(mutator.Corpus.Updates).Body);
        _loose.Mutate(random, _donor);
        _loose.Write(input, random);
        if (random.OneIn(4))
        {
            mutator.Octets(input, 1, most: 2);
        }
    }

    public FuzzOutcome Fuzz(ReadOnlySpan<byte> input)
    {
        BgpCodecOptions options = CodecOctet.Options(input.IsEmpty ? (byte)0 : input[0]);
        ReadOnlySpan<byte> body = input.IsEmpty ? input : input[1..];
        ErrorAction action = UpdateDecoder.Decode(body, options, _message);
        UpdateChecks.Sound(_message, action, options);
        ulong all = UpdateChecks.All(_message);
        string verdict = Verdicts.Of(_message);
        UpdateDecoder.Decode(body, options, _scratch);
        Check.That(UpdateChecks.All(_scratch) == all, $"decoded again it differs: {UpdateChecks.Describe(_message)} | {UpdateChecks.Describe(_scratch)}");
        bool emptyIPv4 = body.Length == 4 && !body.ContainsAnyExcept((byte)0);
        Check.That(emptyIPv4 == (_message.EndOfRib == AfiSafi.IPv4Unicast && _message.MpUnreachFamily is null), $"End-of-RIB is {_message.EndOfRib}");
        if (action != ErrorAction.SessionReset)
        {
            RouteReader.Compare(body, options, _message);
        }

        UpdateChecks.RoundTrip(_message, options, _scratch);
        if (action != ErrorAction.SessionReset && (all & 7) == 0)
        {
            UpdateChecks.Repack(_message, options, _scratch);
        }

        return new(verdict, all);
    }
}
