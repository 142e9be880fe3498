using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using EgressAppliance.Dataplane.Counters;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Dataplane;

public class CountersTests
{
    [Fact]
    public void Add_random_batches_equals_dictionary_and_drains_once()
    {
        Random random = new(11);
        using CounterTable table = new();
        for (int round = 0; round < 3; round++)
        {
            Dictionary<(uint, ushort), (long Packets, long Bytes)> expected = [];
            for (int b = 0; b < 50; b++)
            {
                int count = random.Next(1, 200);
                uint[] ids = [.. Enumerable.Range(0, count).Select(_ => (uint)random.Next(round == 2 ? 100_000 : 300))];
                byte[] links = [.. Enumerable.Range(0, count).Select(_ => (byte)(random.Next(3) * 127))];
                uint[] lengths = [.. Enumerable.Range(0, count).Select(_ => (uint)random.Next(20, 65536))];
                table.Add(ids, links, lengths);
                for (int i = 0; i < count; i++)
                {
                    (long p, long l) = expected.GetValueOrDefault((ids[i], links[i]));
                    expected[(ids[i], links[i])] = (p + 1, l + lengths[i]);
                }
            }

            CounterCell[] cells = table.Drain();
            Assert.Equal(expected.Count, cells.Length);
            Assert.All(cells, cell => Assert.Equal(expected[(cell.PrefixId, cell.Link.Value)], (cell.Packets, cell.IpBytes)));
            Assert.Empty(table.Drain());
        }
    }

    [Fact]
    public void DrainTo_adds_to_the_other_table()
    {
        using CounterTable a = new();
        using CounterTable b = new();
        a.Add(5, 1, 2, 100);
        b.Add(5, 1, 1, 50);
        b.Add(70_000, 2, 1, 60);
        b.DrainTo(a);
        Assert.Empty(b.Drain());
        Assert.Equal(
            [new CounterCell(5, new LinkId(1), 3, 150), new CounterCell(70_000, new LinkId(2), 1, 60)],
            a.Drain().OrderBy(c => c.PrefixId));
    }

    [Fact]
    public void StateBytes_follow_the_part_of_the_table_that_was_hit()
    {
        using CounterTable table = new();
        table.Add(1_250_000, 3, 1, 1);
        Assert.InRange(table.StateBytes, 2 << 20, 3 << 20);
        for (uint id = 0; id < 1_250_000; id++)
        {
            table.Add(id, 3, 1, 1);
        }

        Assert.InRange(table.StateBytes, 30_000_000, 45_000_000);
    }

    [Fact]
    public void FrameTotals_fields_keep_their_distance_from_both_ends()
    {
        int size = Unsafe.SizeOf<FrameTotals>();
        foreach (FieldInfo field in typeof(FrameTotals).GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            int offset = field.GetCustomAttribute<FieldOffsetAttribute>()!.Value;
            int length = field.FieldType == typeof(long) ? 8 : Unsafe.SizeOf<StatusCounts>();
            Assert.True(offset >= FrameTotals.Padding, field.Name);
            Assert.True(offset + length + FrameTotals.Padding <= size, field.Name);
        }
    }
}
