using EgressAppliance.Flow;

namespace EgressAppliance.Tests.Flow;

public sealed class FlowSequenceTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Observe_takes_numbers_with_and_without_the_units_of_their_own_datagram(bool countsItself)
    {
        FlowSequence sequence = new(2048);
        uint total = uint.MaxValue - 9;
        Send(3, 7, 5, 7, 1);
        Assert.Equal((0L, 0L, 0L, 23L), (sequence.Lost, sequence.Reordered, sequence.Restarts, sequence.Received));
        total += 4;
        Send(2, 9, 1);
        Assert.Equal((4L, 0L, 0L), (sequence.Lost, sequence.Reordered, sequence.Restarts));

        void Send(params uint[] units)
        {
            foreach (uint n in units)
            {
                uint before = total;
                total = unchecked(total + n);
                sequence.Observe(countsItself ? total : before, n, null);
            }
        }
    }
}
