using EgressAppliance.Decision;
using EgressAppliance.Decision.Overrides;
using EgressAppliance.Decision.Planner;

namespace EgressAppliance.Tests.Decision;

public class OverrideLedgerTests
{
    private readonly OverrideLedger _ledger = new(TimeSpan.FromSeconds(30));

    [Fact]
    public void Put_again_starts_anew_and_keeps_the_native_link()
    {
        Put("a", "b", 0);
        _ledger.Announced(Lab.Prefix(1));
        OverrideEntry entry = Put("b", "c", 10);
        Assert.Equal(("a", "c", OverrideState.Proposed, true), (entry.From, entry.To, entry.State, entry.Replaces));
        Assert.Equal(Lab.Start.AddSeconds(10), entry.Since);
        Assert.Equal(1, _ledger.Count);
    }

    [Fact]
    public void Renew_moves_the_lease_not_the_age()
    {
        Put("a", "b", 0);
        Assert.True(_ledger.Renew(Lab.Prefix(1), Lab.Start.AddSeconds(20), rateBps: 7));
        OverrideEntry entry = Assert.Single(_ledger.Entries);
        Assert.Equal((Lab.Start.AddSeconds(50), Lab.Start, 7), (entry.LeaseExpires, entry.Since, entry.RateBps));
        Assert.Equal(new ActiveOverride(Lab.Prefix(1), "b", 40), Assert.Single(_ledger.Active(Lab.Start.AddSeconds(40), _ => false)));
        Assert.False(_ledger.Renew(Lab.Prefix(2), Lab.Start));
    }

    [Fact]
    public void States_go_forward_only()
    {
        Put("a", "b", 0);
        Assert.True(_ledger.Announced(Lab.Prefix(1)));
        Assert.Equal(OverrideState.Announced, _ledger.Entries[0].State);
        Assert.True(_ledger.Confirmed(Lab.Prefix(1), Lab.Start.AddSeconds(3)));
        Assert.True(_ledger.Announced(Lab.Prefix(1)));
        Assert.Equal((OverrideState.Confirmed, Lab.Start.AddSeconds(3)), (_ledger.Entries[0].State, _ledger.Entries[0].LastConfirmed));
        Assert.False(_ledger.Announced(Lab.Prefix(2)));
        Assert.False(_ledger.Confirmed(Lab.Prefix(2), Lab.Start));
    }

    [Fact]
    public void Clear_returns_what_was_there()
    {
        Put("a", "b", 0);
        Assert.Single(_ledger.Clear());
        Assert.Equal(0, _ledger.Count);
        Assert.False(_ledger.Remove(Lab.Prefix(1), out _));
    }

    private OverrideEntry Put(string from, string to, int second) =>
        _ledger.Put(Lab.Prefix(1), from, to, 5, ReasonCode.RelieveOverload, OverrideSource.Planner, Lab.Start.AddSeconds(second));
}
