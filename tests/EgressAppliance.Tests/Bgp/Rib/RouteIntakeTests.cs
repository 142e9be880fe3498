using EgressAppliance.Bgp.Rib;
using EgressAppliance.Net;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Bgp.Rib;

public sealed class RouteIntakeTests
{
    [Fact]
    public void Changes_applied_together_leave_what_they_leave_one_by_one() =>
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            using var together = new Bench();
            using var single = new Bench();
            int added = 0;
            together.OnApplied = a => added += a;
            int addedSingly = 0;
            for (int i = random.Next(2000); i >= 0; i--)
            {
                // Few prefixes, so that paths change again and again within one run; some longer than the part of the address that is sorted by.
                IpPrefix prefix = random.Next(2) == 0
                    ? IpPrefix.Create(IpAddr.FromIPv4((uint)random.Next() & 0x0F00_00FF), 8 + (random.Next(2) * 24))
                    : IpPrefix.Create(IpAddr.FromIPv6(0x2001_0000_0000_0000ul | (uint)random.Next(3), (ulong)random.Next(3)), 64 * (1 + random.Next(2)));
                uint pathId = (uint)random.Next(2);
                if (random.Next(3) == 0)
                {
                    together.Intake.Withdraw(prefix, pathId);
                    single.Table.Withdraw(0, prefix, pathId);
                }
                else
                {
                    var attributes = new PathAttributes { Med = (uint)random.Next(3) };
                    uint set = together.Table.Hold(AttributeBlock.From(attributes));
                    together.Intake.Announce(prefix, pathId, set);
                    together.Table.Release(set);
                    addedSingly += single.Table.Announce(0, prefix, pathId, attributes) == RibChange.Added ? 1 : 0;
                }

                if (random.Next(500) == 0)
                {
                    together.Intake.Flush();
                }
            }

            together.Intake.Flush();
            Assert.Equal(single.Paths(), together.Paths());
            Assert.Equal(addedSingly, added);
            Assert.Equal(single.Table.AttributeSetCount, together.Table.AttributeSetCount);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Cleared_changes_leave_nothing_behind()
    {
        using var bench = new Bench();
        uint set = bench.Table.Hold(AttributeBlock.From(new PathAttributes { Med = 1 }));
        for (uint i = 0; i < 1000; i++)
        {
            bench.Intake.Announce(IpPrefix.Create(IpAddr.FromIPv4(i << 8), 24), 0, set);
        }

        bench.Table.Release(set);
        Assert.Equal(1, bench.Table.AttributeSetCount);

        bench.Intake.Clear();

        Assert.Equal(0, bench.Intake.Count);
        Assert.Equal(0, bench.Table.AttributeSetCount);
        bench.Intake.Flush();
        Assert.Equal(0, bench.Table.PrefixCount);
    }

    private sealed class Bench : IDisposable
    {
        private readonly PrefixTable _prefixes = new();

        public Bench()
        {
            Table = new RibTable(1, _prefixes);
            Intake = new RouteIntake(Table, 0, new Lock(), new LockQueue(), (_, _, added) => OnApplied(added));
        }

        public RibTable Table { get; }

        public RouteIntake Intake { get; }

        public Action<int> OnApplied { get; set; } = _ => { };

        public List<(IpPrefix Prefix, uint PathId, PathAttributes Attributes)> Paths()
        {
            var all = new List<(IpPrefix, uint, PathAttributes)>();
            var paths = new List<RibPath>();
            foreach (PrefixEntry entry in _prefixes.Entries())
            {
                paths.Clear();
                Table.CopyPaths(entry.Prefix, paths);
                all.AddRange(paths.OrderBy(p => p.PathId).Select(p => (entry.Prefix, p.PathId, p.Attributes)));
            }

            return all;
        }

        public void Dispose() => _prefixes.Dispose();
    }
}
