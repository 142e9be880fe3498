using EgressAppliance.Cluster.Store;
using EgressAppliance.Host.Leadership;
using EgressAppliance.Tests.Snmp;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Leadership;

public sealed class SiteStopsTests
{
    [Fact]
    public async Task Order_given_where_another_leads_is_obeyed_once_and_is_over_when_saved()
    {
        Site site = new();
        await site.LeadAsync(site.Boxes[0]);
        site.Boxes[0].Inject();
        Assert.Null(await site.Boxes[1].PressAsync());
        Assert.Equal("inject", site.Boxes[0].Mode);
        await site.Boxes[0].Stops.LookAsync(default);
        Assert.Equal("observe", site.Boxes[0].Mode);
        Assert.Single(site.Waiting);
        await site.Boxes[0].SaveAsync();
        Assert.Empty(site.Waiting);

        // The operator's newer word stands, here and with the next leader.
        site.Boxes[0].Inject();
        await site.SettleAsync();
        Assert.Equal("inject", site.Boxes[0].Mode);
        site.Boxes[0].Lose();
        await site.LeadAsync(site.Boxes[1]);
        await site.SettleAsync();
        Assert.Equal("inject", site.Boxes[1].Mode);
    }

    [Fact]
    public async Task Order_that_was_obeyed_and_not_saved_outlives_the_leadership()
    {
        Site site = new();
        await site.LeadAsync(site.Boxes[0]);
        site.Boxes[0].Inject();
        await site.Boxes[0].SaveAsync();
        site.Down = true;
        Assert.Null(await site.Boxes[0].PressAsync());
        Assert.Equal("observe", site.Boxes[0].Mode);
        await site.Boxes[0].SaveAsync();
        site.Boxes[0].Lose();
        await site.Boxes[0].Stops.LookAsync(default);
        Assert.Contains("the server is away", site.Boxes[0].Stops.Problem, StringComparison.Ordinal);

        // The other one may lead before it is told, and is told then.
        site.Down = false;
        await site.LeadAsync(site.Boxes[1]);
        Assert.Equal("inject", site.Boxes[1].Mode);
        await site.Boxes[0].Stops.LookAsync(default);
        Assert.Null(site.Boxes[0].Stops.Problem);
        await site.Boxes[1].Stops.LookAsync(default);
        Assert.Equal("observe", site.Boxes[1].Mode);
    }

    [Fact]
    public async Task Box_obeys_its_own_order_when_it_comes_to_lead_before_it_could_tell_anybody()
    {
        Site site = new() { Saved = "inject", Down = true };
        Assert.Equal("the server is away", await site.Boxes[0].PressAsync());
        site.Down = false;
        await site.LeadAsync(site.Boxes[0]);
        Assert.Equal("observe", site.Boxes[0].Mode);
        await site.SettleAsync();
        Assert.Equal(("observe", 0), (site.Saved, site.Waiting.Count));
        site.Boxes[0].Inject();
        await site.SettleAsync();
        Assert.Equal("inject", site.Saved);
    }

    [Fact]
    public async Task Orders_are_looked_for_every_second_whatever_went_wrong_before()
    {
        ManualTimeProvider time = new();
        FaultyStore store = new();
        TaskCompletionSource withdrawn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using SiteStops stops = new(store, () => 1, () => withdrawn.TrySetResult(), time, NullLogger.Instance);
        stops.Start();
        for (int i = 0; i < 1000 && !withdrawn.Task.IsCompleted; i++)
        {
            time.Advance(SiteStops.Interval);
            await Task.Delay(5);
        }

        Assert.True(withdrawn.Task.IsCompleted);
        Assert.True(store.Reads >= 3);
    }

    /// <summary>Whatever happens between: the last word of the operator is what the site comes to, and an order that is over is never obeyed again.</summary>
    [Fact]
    public async Task Last_word_of_the_operator_counts_in_every_history()
    {
        for (int seed = 0; seed < 20_000; seed++)
        {
            Random random = new(seed);
            Site site = new();
            string? expected = null;
            List<string> story = [];
            for (int step = 0; step < 40; step++)
            {
                Box box = site.Boxes[random.Next(2)];
                int action = random.Next(12);
                story.Add($"{action} {box.Name}");
                switch (action)
                {
                    case 0:
                        box.BeginPress();
                        expected = "observe";
                        break;
                    case 1:
                        expected = After(box, expected);
                        await box.PressAsync();
                        break;
                    case 2 when box.Token > 0:
                        // An order that nobody knows of yet may still come after it, which is on the safe side.
                        expected = site.Waiting.Count == 0 && !site.Boxes.Any(b => b.Stops.Waits) ? "inject" : null;
                        box.Inject();
                        break;
                    case 3 or 4:
                        await site.LeadAsync(box);
                        break;
                    case 5 when box.Token > 0:
                        box.Lose();

                        // What it was told last may be lost with it, unless it was to stop.
                        expected = expected == "inject" && site.Saved != "inject" ? null : expected;
                        break;
                    case 6 or 7:
                        await box.Stops.LookAsync(default);
                        break;
                    case 8 or 9:
                        await box.SaveAsync();
                        break;
                    case 10:
                        site.Down = !site.Down;
                        break;
                    default:
                        site.FailAfter = random.Next(3);
                        break;
                }
            }

            foreach (Box box in site.Boxes.Where(b => b.Pressing))
            {
                expected = After(box, expected);
                await box.PressAsync();
            }

            await site.SettleAsync();
            Assert.True(expected is null || site.Saved == expected, $"seed {seed}: {site.Saved} instead of {expected} after {string.Join(", ", story)}");
            Assert.Empty(site.Waiting);
        }
    }

    /// <summary>What is expected after a press. One that began before the operator said inject may have been obeyed before that.</summary>
    private static string? After(Box box, string? expected) => box.Pressing && expected != "observe" ? null : "observe";

    /// <summary>Two controllers, what they do with orders, and their database.</summary>
    private sealed class Site
    {
        private long _tokens;

        public Site() => Boxes = [new Box("a", this), new Box("b", this)];

        public IReadOnlyList<Box> Boxes { get; }

        public string Saved { get; set; } = "observe";

        public bool Down { get; set; }

        /// <summary>After so many requests one is done whose answer is lost; negative: none.</summary>
        public int FailAfter { get; set; } = -1;

        /// <summary>The orders in the database.</summary>
        public Dictionary<string, Guid> Waiting { get; } = [];

        /// <summary>As a controller does it that comes to lead.</summary>
        public async Task LeadAsync(Box box)
        {
            if (Down || Boxes.Any(b => b.Token > 0))
            {
                return;
            }

            try
            {
                IReadOnlyList<SiteStop>? stops = await box.Stops.ReadAsync(default);
                (box.Token, box.Mode) = (++_tokens, stops is null ? Saved : "observe");
                if (stops is not null && box.Withdraw())
                {
                    box.Stops.Noted(stops, box.Token);
                }
            }
            catch (SiteDatabaseException)
            {
                // It tries again, or another does.
            }
        }

        /// <summary>The database answers, somebody leads, and some seconds pass.</summary>
        public async Task SettleAsync()
        {
            (Down, FailAfter) = (false, -1);
            await LeadAsync(Boxes[0]);
            for (int i = 0; i < 3; i++)
            {
                foreach (Box box in Boxes)
                {
                    await box.Stops.LookAsync(default);
                    await box.SaveAsync();
                }
            }
        }

        public void Leave(string box, Guid id) => Answer(() => Waiting[box] = id);

        public IReadOnlyList<SiteStop> Read()
        {
            Answer(() => { });
            return [.. Waiting.Select(s => new SiteStop(s.Value, s.Key))];
        }

        public void Drop(IReadOnlyCollection<Guid> ids) => Answer(() =>
        {
            foreach (string box in Waiting.Where(s => ids.Contains(s.Value)).Select(s => s.Key).ToArray())
            {
                Waiting.Remove(box);
            }
        });

        private void Answer(Action work)
        {
            if (Down)
            {
                throw new SiteDatabaseException("the server is away");
            }

            work();
            if (FailAfter-- == 0)
            {
                throw new SiteDatabaseException("the answer is lost");
            }
        }
    }

    /// <summary>Fails as no store should, and then as one may.</summary>
    private sealed class FaultyStore : IStopStore
    {
        public int Reads { get; private set; }

        public Task LeaveStopAsync(Guid id, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task DropStopsAsync(IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyList<SiteStop>> ReadStopsAsync(CancellationToken cancellationToken) => ++Reads switch
        {
            1 => throw new InvalidOperationException("a bug"),
            2 => throw new SiteDatabaseException("the server is away"),
            _ => Task.FromResult<IReadOnlyList<SiteStop>>([new SiteStop(Guid.Empty, "a")]),
        };
    }

    private sealed class Box : IStopStore
    {
        private readonly Site _site;

        public Box(string name, Site site)
        {
            (Name, _site) = (name, site);
            Stops = new SiteStops(this, () => Token, Withdraw, TimeProvider.System, NullLogger.Instance);
        }

        public string Name { get; }

        public SiteStops Stops { get; }

        /// <summary>Its leadership; 0: it does not lead.</summary>
        public long Token { get; set; }

        public string Mode { get; set; } = "";

        public bool Withdraw()
        {
            if (Token == 0)
            {
                return false;
            }

            Mode = "observe";
            return true;
        }

        /// <summary>A press has begun, and goes on later.</summary>
        public bool Pressing { get; private set; }

        public void BeginPress()
        {
            Stops.Press();
            Pressing = true;
        }

        /// <summary>The red button, or what is left to do of it. Null: this box leads, or the order is in the database.</summary>
        public async Task<string?> PressAsync()
        {
            if (!Pressing)
            {
                Stops.Press();
            }

            Pressing = false;
            long token = Token;
            if (!Withdraw())
            {
                return await Stops.TellAsync(default);
            }

            Stops.Obeyed(token);
            return null;
        }

        public void Inject() => Mode = "inject";

        public void Lose() => Token = 0;

        public async Task SaveAsync()
        {
            if (Token == 0)
            {
                return;
            }

            IReadOnlyList<Guid> mark = Stops.Mark(Token);
            if (_site.Down)
            {
                return;
            }

            _site.Saved = Mode;
            try
            {
                await Stops.SavedAsync(mark, default);
            }
            catch (SiteDatabaseException)
            {
                // The next state is saved in a second.
            }
        }

        public Task LeaveStopAsync(Guid id, CancellationToken cancellationToken)
        {
            _site.Leave(Name, id);
            return Task.CompletedTask;
        }

        public Task<IReadOnlyList<SiteStop>> ReadStopsAsync(CancellationToken cancellationToken) => Task.FromResult(_site.Read());

        public Task DropStopsAsync(IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken)
        {
            _site.Drop(ids);
            return Task.CompletedTask;
        }
    }
}
