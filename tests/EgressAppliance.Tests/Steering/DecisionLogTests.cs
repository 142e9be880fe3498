using EgressAppliance.Host.Http;
using EgressAppliance.Host.Steering;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Steering;

public sealed class DecisionLogTests
{
    private const int Capacity = 5;

    /// <summary>Each decision moves and releases some of four prefixes; the log must know what a list of all decisions kept says.</summary>
    [Fact]
    public void Changes_of_a_prefix_are_those_of_the_decisions_kept() => Prop.ForAll(ArbMap.Default.ArbFor<byte[][]>(), AgreesWithAList).QuickCheckThrowOnFailure();

    private static void AgreesWithAList(byte[][] decisions)
    {
        DecisionLog log = new(Capacity);
        List<DecisionDto> all = [];
        foreach (byte[] choice in decisions)
        {
            // Nothing is moved twice in a decision, nor moved and released.
            byte[] prefixes = [.. choice.Select(c => (byte)(c % 4)).Distinct()];
            MoveDto[] changed = [.. prefixes.Select(p => new MoveDto($"192.0.2.{p}/32", "isp-a", "isp-b", all.Count, "test"))];
            int moved = choice.Length == 0 ? 0 : choice[0] % (changed.Length + 1);
            DecisionDto decision = new(all.Count, DateTimeOffset.UnixEpoch.AddSeconds(all.Count), "relieved", "", "inject", changed[..moved], changed[moved..], 0, 0, 1);
            all.Add(decision);
            log.Add(decision);
            DecisionDto[] kept = [.. all.TakeLast(Capacity).Reverse()];
            for (int p = 0; p < 4; p++)
            {
                string prefix = $"192.0.2.{p}/32";
                IEnumerable<PrefixChangeDto> expected = kept.SelectMany(d => d.Moves.Select(m => Change(d, m, "moved")).Concat(d.Releases.Select(m => Change(d, m, "released"))))
                    .Where(c => c.Prefix == prefix).Select(c => c.Change);
                Assert.Equal(expected.Take(3), log.ChangesOf(prefix, 3));
                Assert.Equal(expected, log.ChangesOf(prefix, 100));
            }

            Assert.Equal(kept, log.Latest(100));
        }
    }

    [Fact]
    public void Prefix_that_was_never_changed_has_no_changes() => Assert.Empty(new DecisionLog().ChangesOf("192.0.2.0/24", 10));

    private static (string Prefix, PrefixChangeDto Change) Change(DecisionDto decision, MoveDto move, string change) =>
        (move.Prefix, new PrefixChangeDto(decision.Time, decision.Id, decision.Mode, change, move.From, move.To, move.RateBps, move.Reason));
}
